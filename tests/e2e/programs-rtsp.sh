#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Films by RTSP and UDP, with GStreamer's server (rtsp.py) and clients.  The player sends nothing to
# the ports of media that would make a way for them (nat-method=none).
. "$(dirname "$0")/lib.sh"
need_tools gst-launch-1.0 gst-inspect-1.0
begin 1

# Python's bindings of GStreamer are the distribution's, so they may be of another Python than the
# first in the path.
for python in python3 /usr/bin/python3; do
	"$python" "$here/rtsp.py" 2>/dev/null && break
	python=
done
[ -n "$python" ] || skip_all "GStreamer's RTSP server for Python (gir1.2-gst-rtsp-server-1.0) is not installed"
for element in rtspsrc rtspclientsink jpegenc rtpjpegdepay; do
	gst-inspect-1.0 --exists "$element" || skip_all "GStreamer has no $element"
done

server() {
	mkdir -p "$lab_scratch/tape-$1"
	on "$1" "$python" "$here/rtsp.py" "$lab_scratch/tape-$1" >"$lab_scratch/rtsp-$1" 2>&1 &
	wait_until grep -q ready "$lab_scratch/rtsp-$1"
}

# pictures AT-LEAST DIRECTORY: so many have come, and what begins each is JPEG's.
pictures() {
	local number

	number=$(find "$2" -type f -size +0 | wc -l)
	echo "$number pictures have come"
	[ "$number" -ge "$1" ] && [ "$(head -qc 2 "$2"/* | tr -d '\377\330' | wc -c)" = 0 ]
}

# until_pictures AT-LEAST DIRECTORY NAMESPACE ELEMENT...: GStreamer runs there until so many have come,
# 25 a second; the first take some time.
until_pictures() {
	local end=$((SECONDS + PATIENCE + 3)) gst status=1

	nsenter --net="/run/netns/$lab-$3" gst-launch-1.0 -q "${@:4}" </dev/null &
	gst=$!
	while [ $status != 0 ] && [ $SECONDS -lt $end ]; do
		sleep 0.2
		pictures "$1" "$2"
		status=$?
	done
	kill -INT $gst
	wait_until gone $gst || kill $gst
	return $status
}

# play NAMESPACE ADDRESS PICTURES
play() {
	local got=$lab_scratch/got

	rm -rf "$got" && mkdir "$got"
	until_pictures "$3" "$got" "$1" rtspsrc "location=rtsp://$2/camera" protocols=udp nat-method=none \
		latency=100 ! rtpjpegdepay ! multifilesink "location=$got/%05d"
}

# record NAMESPACE ADDRESS SERVER
record() {
	local tape=$lab_scratch/tape-$3

	rm -f "$tape"/*
	until_pictures 40 "$tape" "$1" videotestsrc is-live=1 ! \
		video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! jpegenc ! \
		rtspclientsink "location=rtsp://$2/tape" protocols=udp
}

no_way_inside
adm masq -A -S 10.0.0.0/24
if [ "${ENGINE:-kernel}" != user ]; then
	check "the kernel has no such helper, which is said" refuses 1 "ipmasqd" adm helper -A rtsp
	finish
fi
server client
server server1
portfw -A -P tcp -L 198.51.100.1 554 -R 10.0.0.11 554
check "without the helper nothing is played" fails play server1 198.51.100.2 1
check "without it nothing is recorded inside" fails record client 198.51.100.1 server1
adm helper -A rtsp
check "ten seconds of a film from outside are played inside" play server1 198.51.100.2 250
check "one from inside is played outside" play client 198.51.100.1 50
check "a film from outside is recorded inside" record client 198.51.100.1 server1
check "one from inside is recorded outside" record server1 198.51.100.2 client
finish
