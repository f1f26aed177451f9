/* SPDX-License-Identifier: BSD-2-Clause */
/* A program written for FreeBSD's <alias.h>: the same types, names and values. */
#include <sys/types.h>
#include <netinet/in.h>
#include <alias.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* FreeBSD's prototypes, as types.  An assignment that does not fit is an error. */
static struct libalias *(*init)(struct libalias *) = LibAliasInit;
static void (*uninit)(struct libalias *) = LibAliasUninit;
static void (*set_address)(struct libalias *, struct in_addr) = LibAliasSetAddress;
static void (*set_range)(struct libalias *, u_short, u_short) = LibAliasSetAliasPortRange;
static void (*set_fw_base)(struct libalias *, unsigned int, unsigned int) = LibAliasSetFWBase;
static void (*set_skinny)(struct libalias *, unsigned int) = LibAliasSetSkinnyPort;
static unsigned int (*set_mode)(struct libalias *, unsigned int, unsigned int) = LibAliasSetMode;
static int (*in)(struct libalias *, void *, int) = LibAliasIn;
static int (*out)(struct libalias *, void *, int) = LibAliasOut;
static int (*out_try)(struct libalias *, void *, int, int) = LibAliasOutTry;
static int (*unalias_out)(struct libalias *, void *, int) = LibAliasUnaliasOut;
static int (*add_server)(struct libalias *, struct alias_link *, struct in_addr,
			 unsigned short) = LibAliasAddServer;
static struct alias_link *(*redirect_addr)(struct libalias *, struct in_addr,
					   struct in_addr) = LibAliasRedirectAddr;
static int (*redirect_dynamic)(struct libalias *, struct alias_link *) = LibAliasRedirectDynamic;
static void (*redirect_delete)(struct libalias *, struct alias_link *) = LibAliasRedirectDelete;
static struct alias_link *(*redirect_port)(struct libalias *, struct in_addr, unsigned short,
					   struct in_addr, unsigned short, struct in_addr,
					   unsigned short, unsigned char) = LibAliasRedirectPort;
static struct alias_link *(*redirect_proto)(struct libalias *, struct in_addr, struct in_addr,
					    struct in_addr, unsigned char) = LibAliasRedirectProto;
static void (*fragment_in)(struct libalias *, void *, void *) = LibAliasFragmentIn;
static void *(*get_fragment)(struct libalias *, void *) = LibAliasGetFragment;
static int (*save_fragment)(struct libalias *, void *) = LibAliasSaveFragment;
static unsigned short (*checksum)(struct libalias *, unsigned short *,
				  int) = LibAliasInternetChecksum;
static void (*set_target)(struct libalias *, struct in_addr) = LibAliasSetTarget;
static int (*proxy_rule)(struct libalias *, const char *) = LibAliasProxyRule;
static int (*load_module)(char *) = LibAliasLoadModule;
static int (*unload_modules)(void) = LibAliasUnLoadAllModule;
static int (*refresh_modules)(void) = LibAliasRefreshModules;

static void the_prototypes_are_freebsds(void **state)
{
	void (*const all[])(void) = {
		(void (*)(void))init,
		(void (*)(void))uninit,
		(void (*)(void))set_address,
		(void (*)(void))set_range,
		(void (*)(void))set_fw_base,
		(void (*)(void))set_skinny,
		(void (*)(void))set_mode,
		(void (*)(void))in,
		(void (*)(void))out,
		(void (*)(void))out_try,
		(void (*)(void))unalias_out,
		(void (*)(void))add_server,
		(void (*)(void))redirect_addr,
		(void (*)(void))redirect_dynamic,
		(void (*)(void))redirect_delete,
		(void (*)(void))redirect_port,
		(void (*)(void))redirect_proto,
		(void (*)(void))fragment_in,
		(void (*)(void))get_fragment,
		(void (*)(void))save_fragment,
		(void (*)(void))checksum,
		(void (*)(void))set_target,
		(void (*)(void))proxy_rule,
		(void (*)(void))load_module,
		(void (*)(void))unload_modules,
		(void (*)(void))refresh_modules,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_true(all[i] != NULL);
}

static void the_values_are_freebsds(void **state)
{
	(void)state;
	assert_int_equal(PKT_ALIAS_LOG, 0x01);
	assert_int_equal(PKT_ALIAS_DENY_INCOMING, 0x02);
	assert_int_equal(PKT_ALIAS_SAME_PORTS, 0x04);
	assert_int_equal(PKT_ALIAS_USE_SOCKETS, 0x08);
	assert_int_equal(PKT_ALIAS_UNREGISTERED_ONLY, 0x10);
	assert_int_equal(PKT_ALIAS_RESET_ON_ADDR_CHANGE, 0x20);
	assert_int_equal(PKT_ALIAS_PROXY_ONLY, 0x40);
	assert_int_equal(PKT_ALIAS_REVERSE, 0x80);
	assert_int_equal(PKT_ALIAS_PUNCH_FW, 0x100);
	assert_int_equal(PKT_ALIAS_SKIP_GLOBAL, 0x200);
	assert_int_equal(PKT_ALIAS_UNREGISTERED_CGN, 0x400);
	assert_int_equal(PKT_ALIAS_UDP_EIM, 0x800);
	assert_int_equal(PKT_ALIAS_ERROR, -1);
	assert_int_equal(PKT_ALIAS_OK, 1);
	assert_int_equal(PKT_ALIAS_IGNORED, 2);
	assert_int_equal(PKT_ALIAS_UNRESOLVED_FRAGMENT, 3);
	assert_int_equal(PKT_ALIAS_FOUND_HEADER_FRAGMENT, 4);
	assert_int_equal(LIBALIAS_BUF_SIZE, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_prototypes_are_freebsds),
		cmocka_unit_test(the_values_are_freebsds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
