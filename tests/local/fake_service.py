"""A service as local.aws.processes starts them: answers /health, and has a worker of its own."""

import argparse
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

WORKER = "import time\ntime.sleep(60)\n"


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    arguments.data.mkdir(parents=True, exist_ok=True)
    worker = arguments.data / "worker.py"
    worker.write_text(WORKER)
    process = subprocess.Popen([sys.executable, str(worker)])
    (arguments.data / "worker.pid").write_text(str(process.pid))
    HTTPServer(("127.0.0.1", arguments.port), Healthy).serve_forever()


if __name__ == "__main__":
    main()
