"""A neighbour who looks at the front page, again and again, while others do what they do.

`python -m tests.stranger.probe URL SECONDS`: a process of its own, so that it waits for the server only. It
prints when each look began and how long it took, in seconds, as JSON.
"""

import json
import sys
import time

import httpx2

LOOK = "{communities{edges{node{slug name votes{edges{node{title}}}}}}}"
EVERY = 0.1
PATIENCE = 30


def main() -> None:
    url, seconds = sys.argv[1], float(sys.argv[2])
    begun, took = time.monotonic(), []
    with httpx2.Client(base_url=url, timeout=PATIENCE) as client:
        while time.monotonic() < begun + seconds:
            start = time.monotonic()
            answer = client.post("/graphql", json={"query": LOOK})
            took.append((start - begun, time.monotonic() - start))
            assert answer.json()["data"]["communities"]["edges"], answer.text
            time.sleep(EVERY)
    print(json.dumps(took))  # noqa: T201 - to whoever started it


if __name__ == "__main__":
    main()
