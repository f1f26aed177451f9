#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""GStreamer's RTSP server on port 554.

  rtsp.py             succeeds if the server can run here
  rtsp.py DIRECTORY   prints "ready"; /camera plays a picture 25 times a second, and the pictures
                      that a client records to /tape go to DIRECTORY, a file each
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

if len(sys.argv) < 2:
    sys.exit()
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_service("554")

camera = GstRtspServer.RTSPMediaFactory()
camera.set_launch("( videotestsrc is-live=1 ! video/x-raw,format=I420,width=160,height=120,framerate=25/1"
                  " ! jpegenc ! rtpjpegpay name=pay0 pt=26 )")
tape = GstRtspServer.RTSPMediaFactory()
tape.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
tape.set_launch(f"( rtpjpegdepay name=depay0 ! multifilesink location={sys.argv[1]}/%05d async=false )")
tape.set_latency(100)
for path, factory in ("/camera", camera), ("/tape", tape):
    factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    factory.set_shared(path == "/camera")
    server.get_mount_points().add_factory(path, factory)
if server.attach(None) == 0:
    sys.exit("cannot listen on port 554")
print("ready", flush=True)
GLib.MainLoop().run()
