// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The datapath through NFQUEUE (nfnetlink_queue).
 *
 * Each worker has a netlink socket with two queues, of the outside and of the inside
 * (queue_rules.c says which packet goes where); queue and netfilter hook together tell where on its
 * way a packet was met.  A turn takes what waits with one recvmmsg(2), has it translated in the
 * receive buffers, and answers with as few sendmsg(2) as possible: a verdict is written right in
 * front of the payload, over the attributes that came there, so that a changed packet goes
 * back without a copy.  The kernel carries out a verdict before sendmsg(2) returns.
 *
 * GSO packets stay whole (NFQA_CFG_F_GSO).  A changed one whose checksum is not made yet gets it
 * here, since the kernel takes what it gets back as final.  Small packets use the first page of
 * each receive buffer; bulk data, taken a few packets at a time, would come to fill them all, so
 * the memory of those that it does not need is given back.
 *
 * A held fragment stays in its queue without a verdict until the engine releases it, perhaps from
 * another lane.  The engine knows it by 32 bits: the queue in the highest 7, and below them the low
 * bits of the packet's id, of which the high ones are those of the queue's newest packet: a
 * fragment is not held so long that 2^25 packets pass it.
 *
 * The socket never becomes congested (NETLINK_NO_ENOBUFS): when its buffer is full, the kernel
 * drops or, with --fail-open, passes just the packets that find no room, and counts them in
 * /proc/net/netfilter/nfnetlink_queue.
 */
#include "lane.h"
#include "queue_rules.h"
#include "transport_checksum.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SIDES 2 /* queues of a worker: */
enum side { OUTSIDE, INSIDE };

#define ID_BITS           25
#define ID_MASK           ((1u << ID_BITS) - 1)
#define SIDE_BIT          (1u << 31)
#define PAGE              4096u
#define BUFFER            ((size_t)17 * PAGE) /* attributes, a datagram, and room to grow */
#define PAYLOAD_MAX       ((int)(UINT16_MAX - MNL_ATTR_HDRLEN)) /* what the kernel gives and takes */
#define QUEUE_LENGTH      8192 /* packets that wait in the kernel */
#define RECEIVE_ROOM      (64 << 20)
#define SEND_ROOM         (4 << 20)
#define SEND_AT_ONCE      (256 << 10) /* bytes of verdicts in one sendmsg(2) */
#define BULK              4096 /* mean length from which on fewer packets are taken at once */
#define BULK_BATCH        4
#define FULL_BATCHES      4    /* in a row, after which more are taken */
#define BULK_KEPT         6    /* buffers that may be in memory as a whole after a turn */
#define CONFIGURATION_MAX 1024 /* bytes of a message about a queue */

/* A verdict as it lies in front of the payload; without one it ends before `payload`. */
struct verdict {
	struct nlmsghdr message;
	struct nfgenmsg family;
	struct nlattr header;
	struct nfqnl_msg_verdict_hdr verdict;
	struct nlattr payload;
};

/* What is known of a packet besides what the engine knows. */
struct waiting {
	struct verdict *verdict; /* where to write it: right in front of the payload */
	uint32_t id;             /* network byte order */
	uint16_t queue;          /* network byte order */
	int length;
	bool unfinished; /* its checksum is not made */
	bool refused;    /* not a datagram that the engine may see */
};

struct nfqueue {
	struct mnl_socket *socket;
	uint8_t *buffers; /* LANE_BATCH of BUFFER bytes */
	uint32_t filled;  /* those that have had more than a page, a bit each */
	unsigned int batch;
	unsigned int full; /* batches in a row that were, of small packets */
	struct mmsghdr messages[LANE_BATCH];
	struct iovec parts[LANE_BATCH];
	struct waiting waiting[LANE_BATCH];
	struct user_packet packets[LANE_BATCH];
	_Atomic uint32_t newest[SIDES]; /* packet ids */
};

struct nfqueues {
	struct queue_rules rules;
	struct nfqueue queue[];
};

static struct nfqueue *queue_of(const struct lane *lane)
{
	struct nfqueues *all = lane->datapath->private;

	return &all->queue[lane->worker];
}

static unsigned int queue_number(const struct nfqueues *all, enum side side, unsigned int worker)
{
	return (side == OUTSIDE ? all->rules.outside : all->rules.inside) + worker;
}

/* --- taking packets ----------------------------------------------------------------------------
 */

static enum user_hook hook_of(enum side side, uint8_t netfilter_hook)
{
	bool coming = netfilter_hook == NF_INET_PRE_ROUTING || netfilter_hook == NF_INET_LOCAL_OUT;

	if (side == OUTSIDE)
		return coming ? USER_FROM_OUTSIDE : USER_TO_OUTSIDE;
	return coming ? USER_FROM_INSIDE : USER_TO_INSIDE;
}

/* The attributes that we want of a packet; false: it is not as the kernel makes them. */
static bool parse(const struct nlmsghdr *message, const struct nlattr *found[NFQA_MAX + 1])
{
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attribute) <= NFQA_MAX)
			found[mnl_attr_get_type(attribute)] = attribute;
	return found[NFQA_PACKET_HDR] && found[NFQA_PAYLOAD] &&
	       mnl_attr_get_payload_len(found[NFQA_PACKET_HDR]) >=
		       sizeof(struct nfqnl_msg_packet_hdr);
}

static uint32_t number_of(const struct nlattr *attribute)
{
	if (!attribute || mnl_attr_get_payload_len(attribute) < sizeof(uint32_t))
		return 0;
	return ntohl(mnl_attr_get_u32(attribute));
}

/* Whether the packet came by an interface and leaves by another one. */
static bool goes_on(const struct nlattr *const found[])
{
	uint32_t from = number_of(found[NFQA_IFINDEX_INDEV]);
	uint32_t to = number_of(found[NFQA_IFINDEX_OUTDEV]);

	return from && to && from != to;
}

/* Reads a message into a packet for the engine; false: it was none. */
static bool take(struct lane *lane, struct nfqueue *queue, uint8_t *buffer, size_t got,
		 unsigned int n)
{
	const struct nlmsghdr *message = (const void *)buffer;
	const struct nlattr *found[NFQA_MAX + 1] = {0};
	const struct nfqnl_msg_packet_hdr *header;
	const struct nfgenmsg *family;
	struct nfqueues *all = lane->datapath->private;
	struct user_packet *packet = &queue->packets[n];
	struct waiting *waiting = &queue->waiting[n];
	size_t length;
	enum side side;

	if (!mnl_nlmsg_ok(message, (int)got))
		return false;
	if (message->nlmsg_type == NLMSG_ERROR)
		lane_count(&lane->counters.failed, 1); /* a verdict for what is gone */
	if (message->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    !parse(message, found))
		return false;
	family = mnl_nlmsg_get_payload(message);
	header = mnl_attr_get_payload(found[NFQA_PACKET_HDR]);
	side = ntohs(family->res_id) >= all->rules.inside ? INSIDE : OUTSIDE;
	length = mnl_attr_get_payload_len(found[NFQA_PAYLOAD]);
	*packet = (struct user_packet){
		.data = mnl_attr_get_payload(found[NFQA_PAYLOAD]),
		.mark = number_of(found[NFQA_MARK]),
		.hook = (uint8_t)hook_of(side, header->hook),
		.id = side << 31 | lane->worker << ID_BITS | (ntohl(header->packet_id) & ID_MASK),
	};
	packet->onward = packet->hook == USER_TO_INSIDE && goes_on(found);
	packet->size = (int)(buffer + BUFFER - (uint8_t *)packet->data);
	if (packet->size > PAYLOAD_MAX)
		packet->size = PAYLOAD_MAX;
	*waiting = (struct waiting){
		.verdict = (void *)((uint8_t *)packet->data - sizeof(struct verdict)),
		.id = header->packet_id,
		.queue = family->res_id,
		.length = lane_datagram(packet->data, length),
		.unfinished = number_of(found[NFQA_SKB_INFO]) & NFQA_SKB_CSUMNOTREADY,
	};
	waiting->refused = !waiting->length || found[NFQA_CAP_LEN];
	if (found[NFQA_CAP_LEN])
		lane_count(&lane->counters.truncated, 1);
	atomic_store_explicit(&queue->newest[side], ntohl(header->packet_id), memory_order_relaxed);
	lane_count(&lane->counters.packets, 1);
	lane_count(&lane->counters.bytes, length);
	return true;
}

/* --- giving them back --------------------------------------------------------------------------
 */

static void write_verdict(struct verdict *at, uint16_t queue, uint32_t id, uint32_t verdict)
{
	*at = (struct verdict){
		.message = {.nlmsg_len = offsetof(struct verdict, payload),
			    .nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT,
			    .nlmsg_flags = NLM_F_REQUEST},
		.family = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = queue},
		.header = {.nla_len = MNL_ATTR_HDRLEN + sizeof(at->verdict),
			   .nla_type = NFQA_VERDICT_HDR},
		.verdict = {.verdict = htonl(verdict), .id = id},
	};
}

static void write_payload_header(struct verdict *at, int length)
{
	at->payload = (struct nlattr){.nla_len = (uint16_t)(MNL_ATTR_HDRLEN + length),
				      .nla_type = NFQA_PAYLOAD};
	at->message.nlmsg_len = (uint32_t)(sizeof(*at) + (size_t)length);
}

/* Whether a datagram as the engine left it can go back. */
static int changed_length(const struct user_packet *packet)
{
	return lane_datagram(packet->data, (size_t)packet->size);
}

/* Writes what becomes of a packet; the number of bytes to send, 0 for one that is held. */
static size_t answer(struct waiting *waiting, struct user_packet *packet)
{
	int verdict = packet->verdict, length;

	if (waiting->refused)
		verdict = USER_DROP;
	if (verdict == USER_HOLD)
		return 0;
	length = verdict == USER_CHANGED ? changed_length(packet) : 0;
	if (verdict == USER_CHANGED && !length)
		verdict = USER_DROP;
	if (verdict == USER_CHANGED && waiting->unfinished)
		transport_checksum_complete(packet->data, length);
	write_verdict(waiting->verdict, waiting->queue, waiting->id,
		      verdict == USER_DROP ? NF_DROP : NF_ACCEPT);
	if (verdict == USER_CHANGED)
		write_payload_header(waiting->verdict, length);
	return MNL_ALIGN(waiting->verdict->message.nlmsg_len);
}

static void send_parts(struct lane *lane, struct nfqueue *queue, struct iovec *parts, size_t n)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct msghdr message = {.msg_name = &kernel,
				 .msg_namelen = sizeof(kernel),
				 .msg_iov = parts,
				 .msg_iovlen = n};

	if (n && sendmsg(mnl_socket_get_fd(queue->socket), &message, 0) < 0)
		lane_count(&lane->counters.failed, n);
}

static void give_back(struct lane *lane, struct nfqueue *queue, unsigned int n)
{
	struct iovec parts[LANE_BATCH];
	size_t n_parts = 0, bytes = 0;

	for (unsigned int i = 0; i < n; i++) {
		size_t length = answer(&queue->waiting[i], &queue->packets[i]);

		if (!length)
			continue;
		if (bytes + length > SEND_AT_ONCE) {
			send_parts(lane, queue, parts, n_parts);
			n_parts = bytes = 0;
		}
		parts[n_parts++] = (struct iovec){queue->waiting[i].verdict, length};
		bytes += length;
	}
	send_parts(lane, queue, parts, n_parts);
}

static void nfqueue_release(struct datapath *datapath, uint32_t id, void *data, int length)
{
	struct nfqueues *all = datapath->private;
	enum side side = id & SIDE_BIT ? INSIDE : OUTSIDE;
	unsigned int worker = (id & ~SIDE_BIT) >> ID_BITS;
	struct nfqueue *queue = &all->queue[worker];
	uint32_t newest = atomic_load_explicit(&queue->newest[side], memory_order_relaxed);
	uint32_t packet = newest - ((newest - id) & ID_MASK);
	uint16_t number = htons((uint16_t)queue_number(all, side, worker));
	static const uint8_t padding[MNL_ALIGNTO];
	struct verdict verdict;
	struct iovec parts[] = {{&verdict, offsetof(struct verdict, payload)},
				{data, (size_t)length},
				{(void *)padding, MNL_ALIGN((size_t)length) - (size_t)length}};

	write_verdict(&verdict, number, htonl(packet), data ? NF_ACCEPT : NF_DROP);
	if (data) {
		write_payload_header(&verdict, length);
		parts[0].iov_len = sizeof(verdict);
	}
	send_parts(&datapath->lanes[worker], queue, parts, data ? 3 : 1);
}

/*
 * How many are taken at once from now on: few of bulk data, more while full batches of small
 * packets come, but not for the acknowledgments in between.
 */
static void set_batch(struct nfqueue *queue, unsigned int got, size_t bytes)
{
	bool bulk = bytes / got >= BULK;

	queue->full = !bulk && got == queue->batch ? queue->full + 1 : 0;
	if (bulk) {
		queue->batch = BULK_BATCH;
	} else if (queue->full == FULL_BATCHES && queue->batch < LANE_BATCH) {
		queue->batch *= 2;
		queue->full = 0;
	}
}

/* Which of the messages are packets, and how many; the engine sees those that it may. */
static unsigned int take_all(struct lane *lane, struct nfqueue *queue, unsigned int got)
{
	unsigned int n = 0;
	size_t bytes = 0;

	for (unsigned int i = 0; i < got; i++) {
		if (take(lane, queue, queue->buffers + i * BUFFER, queue->messages[i].msg_len, n))
			n++;
		bytes += queue->messages[i].msg_len;
		if (queue->messages[i].msg_len > PAGE)
			queue->filled |= 1u << i;
	}
	set_batch(queue, got, bytes);
	return n;
}

/* The engine gets runs of packets that are good. */
static void translate(struct lane *lane, struct nfqueue *queue, unsigned int n)
{
	unsigned int first = 0;

	for (unsigned int i = 0; i <= n; i++) {
		if (i < n && !queue->waiting[i].refused)
			continue;
		if (i > first)
			lane_translate(lane, queue->packets + first, i - first);
		first = i + 1;
	}
}

/* From this buffer on. */
static void give_memory_back(struct nfqueue *queue, unsigned int first)
{
	madvise(queue->buffers + first * BUFFER, (LANE_BATCH - first) * BUFFER, MADV_DONTNEED);
	queue->filled &= (1u << first) - 1;
}

static int nfqueue_turn(struct lane *lane)
{
	struct nfqueue *queue = queue_of(lane);
	int got = recvmmsg(lane->fd, queue->messages, queue->batch, MSG_DONTWAIT, NULL);
	unsigned int n;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOMEM ? 0 : -1;
	n = take_all(lane, queue, (unsigned int)got);
	translate(lane, queue, n);
	give_back(lane, queue, n);
	if (__builtin_popcount(queue->filled) > BULK_KEPT)
		give_memory_back(queue, BULK_BATCH);
	return got;
}

static void nfqueue_rest(struct lane *lane)
{
	give_memory_back(queue_of(lane), 0);
}

/* --- opening and closing -----------------------------------------------------------------------
 */

/* Sends a configuration message and waits for the kernel's word on it. */
static int configure(struct nfqueue *queue, struct nlmsghdr *message)
{
	uint8_t answer_buffer[CONFIGURATION_MAX];
	unsigned int port = mnl_socket_get_portid(queue->socket);
	ssize_t n;

	message->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(queue->socket, message, message->nlmsg_len) < 0)
		return -1;
	n = mnl_socket_recvfrom(queue->socket, answer_buffer, sizeof(answer_buffer));
	return n < 0 ? -1 : mnl_cb_run(answer_buffer, (size_t)n, 0, port, NULL, NULL);
}

static struct nlmsghdr *configuration(uint8_t *buffer, unsigned int number)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family = mnl_nlmsg_put_extra_header(message, sizeof(*family));

	message->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	message->nlmsg_flags = NLM_F_REQUEST;
	family->nfgen_family = AF_UNSPEC;
	family->version = NFNETLINK_V0;
	family->res_id = htons((uint16_t)number);
	return message;
}

/* Binds a queue: no packet comes before the rules do. */
static int bind_queue(struct nfqueue *queue, unsigned int number, bool fail_open)
{
	uint8_t buffer[CONFIGURATION_MAX];
	struct nlmsghdr *message = configuration(buffer, number);
	struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_BIND};
	struct nfqnl_msg_config_params whole = {.copy_range = htonl(0xffff),
						.copy_mode = NFQNL_COPY_PACKET};
	uint32_t flags = NFQA_CFG_F_GSO | (fail_open ? NFQA_CFG_F_FAIL_OPEN : 0);

	mnl_attr_put(message, NFQA_CFG_CMD, sizeof(command), &command);
	if (configure(queue, message) < 0)
		return -1;
	message = configuration(buffer, number);
	mnl_attr_put(message, NFQA_CFG_PARAMS, sizeof(whole), &whole);
	mnl_attr_put_u32(message, NFQA_CFG_QUEUE_MAXLEN, htonl(QUEUE_LENGTH));
	mnl_attr_put_u32(message, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(message, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	return configure(queue, message);
}

static int explain(struct ipmasq_error *error, unsigned int number)
{
	int code = errno;

	if (code == EPERM)
		return ipmasq_fail(
			error, code,
			"cannot bind NFQUEUE %u: not permitted; start ipmasqd as root or "
			"with CAP_NET_ADMIN; or another program has it: choose with -q",
			number);
	return ipmasq_fail(
		error, code,
		"cannot bind NFQUEUE %u: %s; where the kernel has no nfnetlink_queue, use "
		"a TUN device (-t)",
		number, strerror(code));
}

/* The most that we may have: above what net.core.*mem_max allows with CAP_NET_ADMIN only. */
static void set_room(int fd, int forced, int option, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes));
}

static int open_socket(struct nfqueue *queue)
{
	int on = 1, fd;

	queue->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!queue->socket || mnl_socket_bind(queue->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	fd = mnl_socket_get_fd(queue->socket);
	set_room(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_ROOM);
	set_room(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_ROOM);
	return mnl_socket_setsockopt(queue->socket, NETLINK_NO_ENOBUFS, &on, sizeof(on));
}

/* Untouched memory costs nothing: small packets use the first page of each buffer. */
static int map_buffers(struct nfqueue *queue)
{
	void *memory = mmap(NULL, LANE_BATCH * BUFFER, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	queue->buffers = memory;
	queue->batch = BULK_BATCH;
	for (size_t i = 0; i < LANE_BATCH; i++) {
		queue->parts[i] = (struct iovec){queue->buffers + i * BUFFER, BUFFER};
		queue->messages[i].msg_hdr =
			(struct msghdr){.msg_iov = &queue->parts[i], .msg_iovlen = 1};
	}
	return 0;
}

static int open_queue(struct lane *lane, struct ipmasq_error *error)
{
	struct nfqueues *all = lane->datapath->private;
	struct nfqueue *queue = queue_of(lane);

	if (open_socket(queue) < 0 || map_buffers(queue) < 0)
		return ipmasq_fail(error, errno, "cannot open a socket for NFQUEUE: %s",
				   strerror(errno));
	for (enum side side = OUTSIDE; side <= INSIDE; side++) {
		unsigned int number = queue_number(all, side, lane->worker);

		if (bind_queue(queue, number, lane->datapath->options.fail_open) < 0)
			return explain(error, number);
	}
	lane->fd = mnl_socket_get_fd(queue->socket);
	return 0;
}

static int nfqueue_open(struct datapath *datapath, struct ipmasq_error *error)
{
	const struct datapath_options *options = &datapath->options;
	unsigned int workers = options->workers;
	struct nfqueues *all;

	all = calloc(1, sizeof(*all) + workers * sizeof(all->queue[0]));
	if (!all)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	datapath->private = all;
	all->rules = (struct queue_rules){.bound = -1,
					  .outside = (uint16_t)options->queue,
					  .inside = (uint16_t)(options->queue + workers),
					  .workers = workers,
					  .seed = user_hash_seed(datapath->user),
					  .bypass = options->fail_open};
	snprintf(all->rules.interface, sizeof(all->rules.interface), "%s", options->interface);
	if (queue_rules_open(&all->rules, error) < 0)
		return -1;
	for (unsigned int i = 0; i < workers; i++)
		if (open_queue(&datapath->lanes[i], error) < 0)
			return -1;
	return queue_rules_install(&all->rules, user_hooks(datapath->user), error);
}

static void nfqueue_tend(struct datapath *datapath, unsigned int hooks)
{
	struct nfqueues *all = datapath->private;
	struct ipmasq_error error;

	if (queue_rules_tend(&all->rules, hooks, &error) < 0)
		lane_count(&datapath->lanes[0].counters.failed, 1); /* tried again in a second */
}

static void nfqueue_drain(struct datapath *datapath, unsigned int held)
{
	struct nfqueues *all = datapath->private;
	struct ipmasq_error error;

	if (!held || datapath->options.fail_open || queue_rules_hold(&all->rules, held, &error) < 0)
		nfqueue_tend(datapath, 0);
}

static uint64_t nfqueue_lost(const struct datapath *datapath)
{
	const struct nfqueues *all = datapath->private;

	return queue_rules_lost(&all->rules);
}

static void nfqueue_close(struct datapath *datapath)
{
	struct nfqueues *all = datapath->private;
	struct ipmasq_error error;

	if (!all)
		return;
	if (!datapath->abandoned)
		queue_rules_remove(&all->rules, &error);
	queue_rules_close(&all->rules);
	for (unsigned int i = 0; i < datapath->options.workers; i++) {
		if (all->queue[i].socket)
			mnl_socket_close(all->queue[i].socket);
		if (all->queue[i].buffers)
			munmap(all->queue[i].buffers, LANE_BATCH * BUFFER);
	}
	free(all);
}

const struct datapath_kind nfqueue_kind = {
	.name = "nfqueue",
	.open = nfqueue_open,
	.turn = nfqueue_turn,
	.rest = nfqueue_rest,
	.release = nfqueue_release,
	.tend = nfqueue_tend,
	.drain = nfqueue_drain,
	.lost = nfqueue_lost,
	.close = nfqueue_close,
};
