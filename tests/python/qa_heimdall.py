#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job through the wire: frames of a KrakenSDR server into covariance and MUSIC."""

import socket
import struct
import subprocess
import sys
import time
import unittest

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr
from support import reference_data, reserved_port, stored_messages

SPEED_OF_LIGHT = 299792458.0
# 1024-byte frame header of the Heimdall data interface, little-endian, pads written out.
HEADER = struct.Struct("<II16sIII4xQQQI4xQIIQIII32IIIII192II")
SYNC_WORD = 0x2BF7B95A
DATA_FRAME = 0


class heimdall_client:
    """Reads frames: one request, one frame."""

    def __init__(self, port):
        deadline = time.monotonic() + 20
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.request = b"streaming"

    def close(self):
        self.socket.sendall(b"q")
        self.socket.close()

    def receive(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError(f"the server closed after {len(data)} of {size} bytes")
            data += part
        return bytes(data)

    def frame(self):
        """(header fields, samples as channels x time)."""
        self.socket.sendall(self.request)
        self.request = b"IQDownload"
        h = HEADER.unpack(self.receive(HEADER.size))
        fields = {"sync_word": h[0], "frame_type": h[1], "channels": h[4], "frequency": h[6],
                  "rate": h[8], "cpi_length": h[9], "bits": h[15],
                  "delay_sync": h[49], "iq_sync": h[50]}
        size = fields["cpi_length"] * fields["channels"] * 2 * fields["bits"] // 8
        samples = np.frombuffer(self.receive(size), np.complex64)
        return fields, samples.reshape(fields["channels"], -1)


class qa_heimdall(unittest.TestCase):
    FRAMES = 8
    SNAPSHOTS = 4096

    def setUp(self):
        simulator = reference_data("tools", "heimdall_v1_sim.py")
        data, control = reserved_port(self), reserved_port(self)
        self.server = subprocess.Popen([sys.executable, str(simulator), str(data), str(control)],
                                       stdout=subprocess.DEVNULL)
        # Also when no connection comes about.
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        self.client = heimdall_client(data)
        self.addCleanup(self.client.close)

    def test_a_source_at_72_degrees_counter_clockwise_is_reported_at_288(self):
        usable = []
        skipped = 0
        while len(usable) < self.FRAMES:
            fields, samples = self.client.frame()
            self.assertEqual(fields["sync_word"], SYNC_WORD)
            aligned = fields["delay_sync"] and fields["iq_sync"]
            if fields["frame_type"] == DATA_FRAME and aligned:
                usable.append(samples)
            else:
                skipped += 1
        self.assertGreater(skipped, 0, "the server mixes dummy and calibration frames in")
        x = np.concatenate(usable, axis=1)
        self.assertEqual(x.shape, (5, self.FRAMES * self.SNAPSHOTS))

        # Element 0 points at the vendor's zero direction, the others follow clockwise: this
        # is bearing.array.uca as it is. The simulator's wavelength is 3e8 / f.
        circle = bearing.array.uca(n=5, radius=0.25, wavelength=3e8 / fields["frequency"])
        top = gr.top_block()
        cov = bearing.covariance(5, self.SNAPSHOTS, sample_rate=fields["rate"])
        music = bearing.music(circle, 1)
        messages = blocks.message_debug()
        for k in range(5):
            top.connect(blocks.vector_source_c(x[k].tolist()), (cov, k))
        top.connect(cov, music)
        top.msg_connect(music, "bearings", messages, "store")
        top.run()

        pdus = stored_messages(messages)
        self.assertEqual(len(pdus), self.FRAMES)
        for pdu in pdus:
            angle = pmt.f32vector_elements(pmt.cdr(pdu))[0]
            self.assertLess(abs(angle - 288.0), 0.5)
            status = pmt.dict_ref(pmt.car(pdu), pmt.intern("status"), pmt.PMT_NIL)
            self.assertEqual(pmt.symbol_to_string(status), "ok")
        print(f"KrakenSDR frames: last bearing {angle:.3f} degrees")


if __name__ == "__main__":
    unittest.main()
