"""`python -m apps.studio`: the studio from a checkout."""

import argparse
import sys

from gsr import GsrError

from .launch import launch


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="gsr app", description="Open the studio in a browser.")
    parser.add_argument("image", nargs="?", help="picture to show first")
    parser.add_argument("--model", default="lite", help="name or .safetensors file of weights")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    given = parser.parse_args()
    try:
        launch(given.model, given.image, given.host, given.port, given.open)
    except GsrError as error:
        sys.stderr.write(f"gsr app: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
