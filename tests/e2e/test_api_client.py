"""The client for TypeScript: it is that of the description, its types hold, and it speaks to a real platform."""
import datetime
import json
import time

import api_tools
from platform_under_test import DONE, ROOT, free_port


def test_the_client_is_generated_from_the_description_and_looks_at_a_platform(platform):
    api_tools.done_or_skipped(api_tools.run(ROOT / "scripts/api_client", "--check", timeout=600))
    port = free_port()
    platform.program()
    platform.write_file()
    platform.up(environment={"FREEHOLD_API_LISTEN": f"127.0.0.1:{port}"})
    token = (platform.state / "keys/token").read_text().strip()
    done = api_tools.run("node", ROOT / "build/npm/client/out/test/look.js", f"http://127.0.0.1:{port}", token)
    assert done.returncode == DONE, done.stderr
    seen = json.loads(done.stdout)
    age = time.time() - datetime.datetime.fromisoformat(seen.pop("created").replace("Z", "+00:00")).timestamp()
    assert -1 < age < 300
    assert seen == {"organisation": platform.name, "states": ["healthy"], "generations": [1], "events": 2, "scaled": True,
                    "refused": [404, "not_found"]}
