#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Command lines as people get them wrong: the whole message, which names the word and the mend, and
# the exit status, the same on both engines; not one rule changes.
. "$(dirname "$0")/lib.sh"
begin 1
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
adm addrfw -A -L 198.51.100.10 -R 10.0.0.11
before=$(ruleset)

# answers STATUS MESSAGE WORD...
answers() {
	local status=$1 message=$2 got rc

	shift 2
	got=$(adm "$@" 2>&1 >"$lab_scratch/stdout" </dev/null)
	rc=$?
	equals "$status $message" echo "$rc $got" && [ ! -s "$lab_scratch/stdout" ]
}

# Lines of `$ WORDS`, then `STATUS MESSAGE`.
set -f
while read -r prompt words && read -r status message; do
	[ "$prompt" = '$' ] || check "$prompt $words: a line of words" false
	# shellcheck disable=SC2086 # the words of a line
	check "$words" answers "$status" "$message" $words
done <<'END'
$ portfw -A -P tpc -L 198.51.100.1 80 -R 10.0.0.11 80
2 portfw: protocol 'tpc' is not tcp, udp or sctp
$ portfw -A -p tcp -L 198.51.100.1 80 -R 10.0.0.11 80
2 portfw: -P tcp, udp or sctp is needed
$ portfw -A -L 198.51.100.1 80 -R 10.0.0.11 80
2 portfw: -P tcp, udp or sctp is needed
$ portfw -A -P tcp -L 80 198.51.100.1 -R 10.0.0.11 80
2 portfw: '80' is not an IPv4 or IPv6 address
$ portfw -A -P tcp -L 198.51.100.1 80 -R 80 10.0.0.11
2 portfw: '80' is not an IPv4 address
$ portfw -A -P tcp -R 10.0.0.11 80
2 portfw: -L with an address and a port is needed
$ portfw -A -P tcp -L 198.51.100.1 -R 10.0.0.11 80
2 portfw: '198.51.100.1': a port is needed after the address
$ portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11
2 portfw: '10.0.0.11': a port is needed after the address
$ portfw -A -P tcp -L 198.51.100.1 0 -R 10.0.0.11 80
2 portfw: port '0' is out of range: give 1 to 65535
$ portfw -A -P tcp -L 198.51.100.1 65536 -R 10.0.0.11 80
2 portfw: port '65536' is out of range: give 1 to 65535
$ portfw -A -P tcp -L 198.51.100.1 -1 -R 10.0.0.11 80
2 portfw: '-1' is not a port number or a service of /etc/services
$ portfw -A -P tcp -L 198.51.100.1 htpp -R 10.0.0.11 80
2 portfw: 'htpp' is not a port number or a service of /etc/services
$ portfw -A -P tcp -L 198.51.100.1 80-90 -R 10.0.0.11 80
2 portfw: '80-90' is not a port number or a service of /etc/services
$ portfw -A -P tcp -L 198.51.100.1 80,443 -R 10.0.0.11 80
2 portfw: '80,443' is not a port number or a service of /etc/services
$ portfw -A -P tcp -L 198.51.100.0/24 80 -R 10.0.0.11 80
2 portfw: '198.51.100.0/24' has a port already, '80' is one word too many
$ portfw -A -P tcp -L * 80 -R 10.0.0.11 80
2 portfw: '*' is not an IPv4 or IPv6 address
$ portfw -A -P tcp -L 2001:db8::1 80 -R 10.0.0.11 80
2 portfw: '10.0.0.11' is an IPv4 address where IPv6 is needed
$ portfw -A -P tcp -L 198.51.100.1 80 -R fd00::11 80
2 portfw: 'fd00::11' is an IPv6 address where IPv4 is needed
$ portfw -n -A -P tcp -L web.invalid 80 -R 10.0.0.11 80
2 portfw: 'web.invalid' is not an IPv4 or IPv6 address
$ portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80 -p -5
2 portfw: preference '-5' is not a number from 1 to 65535
$ portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80 -p 0
2 portfw: preference '0' is not a number from 1 to 65535
$ portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80 -p ten
2 portfw: preference 'ten' is not a number from 1 to 65535
$ portfw -A -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80
2 portfw: multiple commands specified: -A and -A
$ portfw -A -P tcp -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80
2 portfw: -P is given twice
$ portfw -A -D -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80
2 portfw: multiple commands specified: -A and -D
$ portfw -D -P tcp -L 198.51.100.1 81
1 portfw: no forward of tcp 198.51.100.1 port 81 matches; `ipmasqadm portfw -L` lists them
$ portfw -D -P tcp
2 portfw: -L with an address and a port is needed
$ portfw -D
2 portfw: -P tcp, udp or sctp is needed
$ portfw -A
2 portfw: -P tcp, udp or sctp is needed
$ portfw
2 portfw: no command: give one of -A, -D, -F, -L, or -h for help
$ portfw add tcp 80 10.0.0.11
2 portfw: 'add' is one word too many; portfw -h shows what there may be
$ portfw --add
2 portfw: there is no option '--add'; portfw -h lists them
$ portfw --list
2 portfw: there is no option '--list'; portfw -h lists them
$ portfw -L 198.51.100.1
2 portfw: no command: give one of -A, -D, -F, -L, or -h for help; -L with words behind it is none
$ portfw -L 198.51.100.1 80
2 portfw: no command: give one of -A, -D, -F, -L, or -h for help; -L with words behind it is none
$ portfw -L extra
2 portfw: no command: give one of -A, -D, -F, -L, or -h for help; -L with words behind it is none
$ portfw -F -P tcp
2 portfw: -P does not go with -F
$ portfw -X
2 portfw: there is no option '-X'; portfw -h lists them
$ portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80 -v=2
2 portfw: there is no option '-=' in '-v=2'; portfw -h lists them
$ portfw -A -P icmp -L 198.51.100.1 80 -R 10.0.0.11 80
2 portfw: protocol 'icmp' is not tcp, udp or sctp
$ portfw -A -P 6 -L 198.51.100.1:80 -R 10.0.0.11:80:90
2 portfw: '10.0.0.11:80:90' is not an IPv4 address
$ portfw -A -P tcp -L 198.51.100.1:80 80 -R 10.0.0.11:80
2 portfw: '198.51.100.1:80' has a port already, '80' is one word too many
$ portfw -A -P tcp -L 198.51.100.1/24 80 -R 10.0.0.11:80
2 portfw: '198.51.100.1/24' has a port already, '80' is one word too many
$ portfw -A -P tcp -L 198.51.100.1/80 80 -R 10.0.0.11:80
2 portfw: '198.51.100.1/80' has a port already, '80' is one word too many
$ portfw -A -P tcp -L 198.51.100.300 80 -R 10.0.0.11 80
2 portfw: '198.51.100.300' is not an IPv4 or IPv6 address
$ portfw -A -P tcp -L 0x7f.1 80 -R 10.0.0.11 80
2 portfw: '127.0.0.1': what is sent to the loopback never leaves this machine and cannot be redirected; give an interface's address
$ portfw -A -P tcp -L 127.0.0.1 80 -R 10.0.0.11 80
2 portfw: '127.0.0.1': what is sent to the loopback never leaves this machine and cannot be redirected; give an interface's address
$ portfw -A -P tcp -L 198.51.100.1 80 -R 0.0.0.0 80
2 portfw: '0.0.0.0' is no inside host to send connections to
$ portfw -A -P tcp -L 198.51.100.1 80 -R 255.255.255.255 80
2 portfw: '255.255.255.255' is no inside host to send connections to
$ portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80 now
2 portfw: 'now' is one word too many; portfw -h shows what there may be
$ portfw -A -P tcp -L fe80::1%eth0 80 -R fd00::1 80
2 portfw: 'fe80::1%eth0' is not an IPv4 or IPv6 address
$ -x
2 ipmasqadm: there is no option '-x'; ipmasqadm -h lists them
$ -e
2 ipmasqadm: -e needs an engine; ipmasqadm -h says which there are
$ -e kernal portfw -L
2 ipmasqadm: there is no engine 'kernal': it is `kernel`, `user`, or the path of an ipmasqd's socket, with a slash in it
$ mfw -A -m 0 -r 10.0.0.11
2 mfw: mark '0' is not a number from 1 to 4294967295
$ mfw -A -m -1 -r 10.0.0.11
2 mfw: mark '-1' is not a number from 1 to 4294967295
$ mfw -A -m 4294967296 -r 10.0.0.11
2 mfw: mark '4294967296' is not a number from 1 to 4294967295
$ mfw -A -m 1/0xff -r 10.0.0.11
2 mfw: mark '1/0xff' is not a number from 1 to 4294967295
$ mfw -A -m one -r 10.0.0.11
2 mfw: mark 'one' is not a number from 1 to 4294967295
$ mfw -A -r 10.0.0.11
2 mfw: -m with a mark is needed
$ mfw -A -m 1
2 mfw: -r with an address and a port is needed
$ mfw -A -m 1 -r 10.0.0.11 -p -1
2 mfw: preference '-1' is not a number from 0 to 65535
$ mfw -A -m 1 -r 10.0.0.11 99999
2 mfw: port '99999' is out of range: give 1 to 65535
$ mfw -A -m 1 -R 10.0.0.11
2 mfw: there is no option '-R'; mfw -h lists them
$ mfw -D -m 9
1 mfw: no host of mark 9; `ipmasqadm mfw -L` lists them
$ mfw -E -m 9 -p 3
1 mfw: no host of mark 9; `ipmasqadm mfw -L` lists them
$ mfw -E -m 9
2 mfw: -E needs the new preference, -p
$ mfw -S -m 9
1 mfw: no host of mark 9; `ipmasqadm mfw -L` lists them
$ mfw -S
2 mfw: -m with a mark is needed
$ mfw -D
2 mfw: -m with a mark is needed
$ mfw -A -I -m 1 -r 10.0.0.11
2 mfw: multiple commands specified: -A and -I
$ mfw -A -m 1 -m 2 -r 10.0.0.11
2 mfw: -m is given twice
$ autofw -A
2 autofw: one of -r, -d and -p is needed
$ autofw -A -r tcp 90 80 -h 10.0.0.11
2 autofw: port range '90' to '80' runs backwards
$ autofw -A -r tcp 80 -h 10.0.0.11
2 autofw: -r needs PROTO LOW HIGH: nothing follows 80
$ autofw -A -r 80 90 tcp -h 10.0.0.11
2 autofw: protocol '80' is not tcp, udp or sctp
$ autofw -A -r tcp 80 90
2 autofw: -r needs -h, the inside host, or -c, what opens the range
$ autofw -A -r tcp 80 90 -h
2 autofw: multiple commands specified: -A and -h, which no word follows
$ autofw -A -r tcp 80 90 -h 10.0.0.11 -c tcp 70
2 autofw: -h and -c exclude one another
$ autofw -A -r tcp 80 90 -c tcp 0
2 autofw: port '0' is out of range: give 1 to 65535
$ autofw -A -r tcp 80 90 -c 7070
2 autofw: -c needs PROTO PORT: nothing follows 7070
$ autofw -A -p tcp 80 10.0.0.11
2 autofw: '10.0.0.11': write the inside host and its port as HOST:PORT
$ autofw -A -p tcp 80 10.0.0.11:0
2 autofw: port '0' is out of range: give 1 to 65535
$ autofw -A -p tcp 80 10.0.0.11 80
2 autofw: '80' is one word too many; autofw -h shows what there may be
$ autofw -A -d tcp 80
2 autofw: -d needs PROTO LOW HIGH: nothing follows 80
$ autofw -A -d tcp 0 70000
2 autofw: port '0' is out of range: give 1 to 65535
$ autofw -A -r tcp 80 90 -p tcp 80 10.0.0.11:80
2 autofw: -r and -p exclude one another
$ autofw -A -r tcp 80 90 -h 10.0.0.11 -u
2 autofw: -u goes with -c only
$ autofw -A -r tcp 80 90 -h 10.0.0.11 -i
2 autofw: -i goes with -c only
$ autofw -D -r tcp 80 90 -h 10.0.0.11
1 autofw: there is no rule `autofw -A -r tcp 80 90 -h 10.0.0.11`; `ipmasqadm autofw -L` lists what there is
$ autofw -D
2 autofw: one of -r, -d and -p is needed
$ autofw -F all
2 autofw: 'all' is one word too many; autofw -h shows what there may be
$ autofw -L tcp
2 autofw: 'tcp' is one word too many; autofw -h shows what there may be
$ autofw
2 autofw: no command: give one of -A, -D, -F, -L, or -h for help
$ masq -A
2 masq: -S with a net is needed
$ masq -A -S 10.0.0.0/33
2 masq: '10.0.0.0/33' is not a net: give ADDRESS/BITS, BITS from 0 to 32
$ masq -A -S 10.0.0.0/255.255.255.0
2 masq: '10.0.0.0/255.255.255.0' is not a net: give ADDRESS/BITS, BITS from 0 to 32
$ masq -A -S 10.0.0.0/-1
2 masq: '10.0.0.0/-1' is not a net: give ADDRESS/BITS, BITS from 0 to 32
$ masq -A -S 10.0.0/24
2 masq: '10.0.0' is not an IPv4 or IPv6 address
$ masq -A -S 10.0.0.0/24 -o
2 masq: -o needs IFACE
$ masq -A -S 10.0.0.0/24 -o averyverylonginterfacename
2 masq: 'averyverylonginterfacename' cannot be an interface: a name has 1 to 15 letters, no blank, / or : among them, and no # before them
$ masq -A -S 10.0.0.0/24 -o a/b
2 masq: 'a/b' cannot be an interface: a name has 1 to 15 letters, no blank, / or : among them, and no # before them
$ masq -A -S 10.0.0.0/24 -M fd00::1
2 masq: 'fd00::1' is an IPv6 address where IPv4 is needed
$ masq -A -o eth0
2 masq: -S with a net is needed
$ masq -A -S 10.0.0.0/24 -i eth0
2 masq: there is no option '-i'; masq -h lists them
$ masq -D -S 10.9.0.0/16
1 masq: there is no rule `masq -A -S 10.9.0.0/16`; `ipmasqadm masq -L` lists what there is
$ masq -D -S 10.0.0.0/24 -o nosuch0
1 masq: there is no rule `masq -A -S 10.0.0.0/24 -o nosuch0`; `ipmasqadm masq -L` lists what there is
$ masq -D
2 masq: -S with a net is needed
$ masq -T 1 2
2 masq: -T needs TCP TCPFIN UDP: nothing follows 2
$ masq -T 1 2 x
2 masq: UDP time-out 'x' is not a number from 0 to 2147483
$ masq -T -1 2 3
2 masq: TCP time-out '-1' is not a number from 0 to 2147483
$ masq -T 99999999999 0 0
2 masq: TCP time-out '99999999999' is not a number from 0 to 2147483
$ masq -C -p 0
2 masq: port '0' is out of range: give 1 to 65535
$ masq -C -p 99999
2 masq: port '99999' is out of range: give 1 to 65535
$ masq -C -p x
2 masq: 'x' is not a port number or a service of /etc/services
$ masq -C -S 300.0.0.0
2 masq: '300.0.0.0' is not an IPv4 or IPv6 address
$ masq -C -o eth0
2 masq: -o does not go with -C
$ masq -L extra
2 masq: 'extra' is one word too many; masq -h shows what there may be
$ masq -w
2 masq: no command: give one of -A, -D, -F, -L, -C, -T, or -h for help
$ masq --follow
2 masq: no command: give one of -A, -D, -F, -L, -C, -T, or -h for help
$ addrfw -A
2 addrfw: -L with an address is needed
$ addrfw -A -L 198.51.100.1
2 addrfw: -R with an address is needed
$ addrfw -A -R 10.0.0.11
2 addrfw: -L with an address is needed
$ addrfw -A -L 198.51.100.1 80 -R 10.0.0.11
2 addrfw: '80' is one word too many; addrfw -h shows what there may be
$ addrfw -A -L 198.51.100.1 -R 10.0.0.11 -P nosuch
2 addrfw: 'nosuch' is not an IP protocol: give a name or 1 to 255
$ addrfw -A -L 198.51.100.1 -R 10.0.0.11 -P 0
2 addrfw: '0' is not an IP protocol: give a name or 1 to 255
$ addrfw -A -L 198.51.100.1 -R 10.0.0.11 -P 256
2 addrfw: '256' is not an IP protocol: give a name or 1 to 255
$ addrfw -A -L 198.51.100.0/24 -R 10.0.0.11
2 addrfw: '198.51.100.0/24' is not an IPv4 or IPv6 address
$ addrfw -A -L fd00::1 -R 10.0.0.11
2 addrfw: '10.0.0.11' is an IPv4 address where IPv6 is needed
$ addrfw -A -L 0.0.0.0 -R 10.0.0.11
2 addrfw: '0.0.0.0' is no single address
$ addrfw -A -L 198.51.100.1 -R 198.51.100.1
2 addrfw: '198.51.100.1' cannot stand for itself
$ addrfw -D -L 198.51.100.9
1 addrfw: no entry of 198.51.100.9 matches; `ipmasqadm addrfw -L` lists them
$ addrfw -D -L 198.51.100.9 -P gre
1 addrfw: no entry of 198.51.100.9 like this matches; `ipmasqadm addrfw -L` lists them
$ addrfw -D
2 addrfw: -L with an address is needed
$ addrfw -A -L 198.51.100.1 -R 10.0.0.11 -p gre
2 addrfw: there is no option '-p'; addrfw -h lists them
$ proxy -A
2 proxy: server with an address is needed
$ proxy -A server
2 proxy: nothing follows 'server'
$ proxy -A server 10.0.0.2:3128 port
2 proxy: nothing follows 'port'
$ proxy -A server 10.0.0.2:3128 port 0
2 proxy: port '0' is out of range: give 1 to 65535
$ proxy -A server 10.0.0.2:3128 port 80-90
2 proxy: '80-90' is not a port number or a service of /etc/services
$ proxy -A server 10.0.0.2:3128 port htpp
2 proxy: 'htpp' is not a port number or a service of /etc/services
$ proxy -A server 10.0.0.2:99999
2 proxy: port '99999' is out of range: give 1 to 65535
$ proxy -A server 10.0.0.2 proto icmp
2 proxy: proto 'icmp' is not tcp or udp
$ proxy -A server 10.0.0.2 src 10.0.0.0/40
2 proxy: '10.0.0.0/40' is not a net: give ADDRESS/BITS, BITS from 0 to 32
$ proxy -A server 10.0.0.2 src fd00::/64
2 proxy: the server and the nets of src and dst are not of one family (IPv4 or IPv6)
$ proxy -A server 10.0.0.2 source 10.0.0.0/24
2 proxy: 'source' is not type, port, server, rule, proto, src or dst
$ proxy -A server 10.0.0.2 type encode
2 proxy: type 'encode' is not no_encode, encode_ip_hdr or encode_tcp_stream
$ proxy -A server 10.0.0.2 rule -1
2 proxy: rule '-1' is not a number from 0 to 2147483647
$ proxy -A server 10.0.0.2 port -1
2 proxy: '-1' is not a port number or a service of /etc/services
$ proxy -A server 10.0.0.2 rule x
2 proxy: rule 'x' is not a number from 0 to 2147483647
$ proxy -A server 10.0.0.2 rule 1 rule 2
2 proxy: rule is given twice
$ proxy -A port 80
2 proxy: server with an address is needed
$ proxy -A -s 10.0.0.2
2 proxy: there is no option '-s'; proxy -h lists them
$ proxy -D
2 proxy: -D needs `rule INDEX`
$ proxy -D 5
2 proxy: '5' is not type, port, server, rule, proto, src or dst
$ proxy -D rule
2 proxy: nothing follows 'rule'
$ proxy -D rule 5
1 proxy: no rule of index 5; `ipmasqadm proxy -L` lists them
$ proxy -D rule x
2 proxy: rule 'x' is not a number from 0 to 2147483647
$ proxy -D server 10.0.0.2
2 proxy: server does not go with -D
$ proxy -L rule 5
2 proxy: 'rule' is one word too many; proxy -h shows what there may be
$ proxy server 10.0.0.2
2 proxy: no command: give one of -A, -D, -F, -L, or -h for help
$ helper -A
2 helper: -A needs NAME
$ helper -A FTP
2 helper: 'FTP' cannot be a helper's name: it has up to 15 small letters, digits and -
$ helper -A ftp ports=
2 helper: '' is not a port number or a service of /etc/services
$ helper -A ftp ports=0
2 helper: port '0' is out of range: give 1 to 65535
$ helper -A ftp ports=21,
2 helper: '' is not a port number or a service of /etc/services
$ helper -A ftp ports=x
2 helper: 'x' is not a port number or a service of /etc/services
$ helper -A ftp ports=21,21
2 helper: port '21' is given twice
$ helper -A ftp ports=1,2,3,4,5,6,7,8,9
2 helper: port '9' is one too many: a helper has 8
$ helper -A ftp 21
2 helper: '21' is not ports=N,N...
$ helper -A ftp port=21
2 helper: 'port=21' is not ports=N,N...
$ helper -A ftp ports 21
2 helper: '21' is one word too many; helper -h shows what there may be
$ helper -D
2 helper: -D needs NAME
$ helper -D ftp
1 helper: there is no rule `helper -A ftp`; `ipmasqadm helper -L` lists what there is
$ helper -D nosuch
1 helper: there is no rule `helper -A nosuch`; `ipmasqadm helper -L` lists what there is
$ helper -D ftp ports=21
2 helper: 'ports=21' is one word too many; helper -h shows what there may be
$ helper -L ftp
2 helper: 'ftp' is one word too many; helper -h shows what there may be
$ helper ftp
2 helper: 'ftp' is one word too many; helper -h shows what there may be
$ ipportfw -A
2 ipportfw: -t or -u with ADDRESS/PORT is needed
$ ipportfw -A -t 198.51.100.1 -R 10.0.0.11
2 ipportfw: '198.51.100.1': a port is needed after the address
$ ipportfw -A -t198.51.100.1/x -R 10.0.0.11/80
2 ipportfw: 'x' is not a port number or a service of /etc/services
$ ipportfw -A -t198.51.100.1/80 -u198.51.100.1/80 -R 10.0.0.11/80
2 ipportfw: -t and -u exclude one another
$ ipportfw -A -t198.51.100.1/80
2 ipportfw: -R with ADDRESS/PORT is needed
$ ipportfw -D
2 ipportfw: -t or -u with ADDRESS/PORT is needed
$ ipportfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80
2 ipportfw: there is no option '-P'; ipportfw -h lists them
$ save -x
2 save: there is no option '-x'; usage: ipmasqadm save [FILE]
$ save a b
2 save: 'b' is one word too many; usage: ipmasqadm save [FILE]
$ flush now
2 flush: 'now' is one word too many; usage: ipmasqadm flush
$ flush portfw
2 flush: 'portfw' is one word too many; usage: ipmasqadm flush
$ trace
2 trace: -P with a protocol is needed
$ trace -P tcp
2 trace: -S with an address and a port is needed
$ trace -P tcp -S 1.2.3.4 -D 198.51.100.1 80
2 trace: '1.2.3.4': a port is needed after the address
$ trace -P tcp -S 1.2.3.4 5 -D 198.51.100.1
2 trace: '198.51.100.1': a port is needed after the address
$ trace -P tcp -S fd00::1 5 -D fd00::2 80
2 trace: 'fd00::1' is an IPv6 address where IPv4 is needed
$ trace -P tcp -S 1.2.3.4 5 -D 198.51.100.1 80 -m x
2 trace: mark 'x' is not a number from 1 to 4294967295
$ trace -x
2 trace: there is no option '-x'; trace -h lists them
$ replay
2 replay: name the capture file; usage: ipmasqadm replay IN.pcap [-w OUT.pcap] [-r RULES] -i ADDR
$ replay /nosuch.pcap
2 replay: -i with the outside address is needed; usage: ipmasqadm replay IN.pcap [-w OUT.pcap] [-r RULES] -i ADDR
$ replay /nosuch.pcap -i 198.51.100.1
1 replay: cannot read /nosuch.pcap: No such file or directory
$ replay -i
2 replay: -i needs a value; usage: ipmasqadm replay IN.pcap [-w OUT.pcap] [-r RULES] -i ADDR
$ top -d 0
2 top: number of seconds '0' is not a number from 1 to 3600
$ top -d x
2 top: number of seconds 'x' is not a number from 1 to 3600
$ top -N x
2 top: number of frames 'x' is not a number from 1 to 4294967295
$ top -x
2 top: there is no option '-x'; usage: ipmasqadm top [-b] [-d SECONDS] [-N COUNT]
$ top extra
2 top: 'extra' is one word too many; usage: ipmasqadm top [-b] [-d SECONDS] [-N COUNT]
$ shell -x
2 shell: there is no option '-x'; usage: ipmasqadm shell [-k]
$ shell extra
2 shell: 'extra' is one word too many; usage: ipmasqadm shell [-k]
$ addrfw -A -L 198.51.100.9 -R 10.0.0.11
1 addrfw: 10.0.0.11 has the public address 198.51.100.10 already; delete that first
$ portfw -D -P tcp -L :: 80
1 portfw: no forward of tcp :: port 80 matches; `ipmasqadm portfw -L` lists them
$ portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.77 80
1 portfw: no forward of tcp 198.51.100.1 port 8000 to this host matches; `ipmasqadm portfw -L` lists them
$ portfw -D -P tcp -L 198.51.100.1 8000 -p 5
2 portfw: -p does not go with -D
$ portfw -vX
2 portfw: there is no option '-X' in '-vX'; portfw -h lists them
$ portfw -A -P tcp -L -R 10.0.0.11 80
2 portfw: multiple commands specified: -A and -L, which no word follows
$ autofw -D -p tcp 80 10.0.0.11:80
1 autofw: there is no rule `autofw -A -p tcp 80 10.0.0.11:80`; `ipmasqadm autofw -L` lists what there is
$ autofw -A -p tcp 80 fd00::11:80
2 autofw: 'fd00::11:80': write the inside host and its port as HOST:PORT
$ portfw -A -P tcp -L ,80 -R 10.0.0.11 80
2 portfw: ',80' is not an IPv4 or IPv6 address
$ addrfw -A -L 198.51.100.1 -R fd00::1
2 addrfw: 'fd00::1' is an IPv6 address where IPv4 is needed
$ masq -A -S fd00::/129
2 masq: 'fd00::/129' is not a net: give ADDRESS/BITS, BITS from 0 to 128
$ masq -A -S /24
2 masq: '' is not an IPv4 or IPv6 address
$ trace -P xyz -S 1.2.3.4 5 -D 198.51.100.1 80
2 trace: 'xyz' is not an IP protocol: give a name or 1 to 255
$ helper -A toolong-toolong-toolong-toolong
2 helper: 'toolong-toolong-toolong-toolong' cannot be a helper's name: it has up to 15 small letters, digits and -
$ flush -x
2 flush: there is no option '-x'; usage: ipmasqadm flush
$ top -d
2 top: -d needs a number
$ status extra
2 status: 'extra' is one word too many; usage: ipmasqadm status [--prometheus [FILE]]
$ status -x
2 status: there is no option '-x'; usage: ipmasqadm status [--prometheus [FILE]]
$ status --prometheus a b
2 status: 'b' is one word too many; usage: ipmasqadm status [--prometheus [FILE]]
END
set +f
check "no rule has changed" equals "$before" ruleset
finish
