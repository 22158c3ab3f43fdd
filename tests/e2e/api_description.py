"""The OpenAPI description of the API, as a judge of answers. Knows what Prism does not: lines, HEAD, what is not there."""
import json
import re
import subprocess

import jsonschema
import platform_under_test


class Description:
    def __init__(self, document):
        self.document, self.validators = document, {}
        self.paths = {self.pattern(path): (path, item) for path, item in document["paths"].items()}

    @classmethod
    def of_binary(cls):
        """That of the program under test, held tighter than it is served: an answer may have no field that is not described.
        Clients are to pass over such fields; the program is not to have any."""
        done = subprocess.run([platform_under_test.BINARY, "schema", "--api"], capture_output=True, check=True)
        return cls(cls.tightened(json.loads(done.stdout)))

    @classmethod
    def tightened(cls, value):
        if isinstance(value, list):
            return [cls.tightened(each) for each in value]
        if not isinstance(value, dict):
            return value
        out = {name: cls.tightened(each) for name, each in value.items()}
        if out.get("type") == "object" and isinstance(out.get("properties"), dict):
            out["additionalProperties"] = False
        return out

    @staticmethod
    def pattern(path):
        return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[a-z]+\})", path)))

    def item(self, target):
        """(path, what may be done there), or nothing. A path without braces goes before one that has them."""
        path = target.partition("?")[0]
        found = [each for pattern, each in self.paths.items() if pattern.fullmatch(path)]
        return next((each for each in found if each[0] == path), found[0] if found else None)

    def operation(self, method, target):
        found = self.item(target)
        return found[1].get("get" if method == "HEAD" else method.lower()) if found else None

    def resolve(self, value):
        while "$ref" in value:
            place = self.document
            for step in value["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            value = place
        return value

    def check_value(self, schema, value):
        """-> what is wrong with it, or nothing."""
        kind = json.dumps(schema)
        if kind not in self.validators:
            self.validators[kind] = jsonschema.Draft202012Validator({**schema, "components": self.document["components"]})
        validator = self.validators[kind]
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        return f"{'/'.join(map(str, error.absolute_path))}: {error.message}" if error else None

    def check_line(self, method, target, line):
        content = self.operation(method, target)["responses"]["200"]["content"]
        return self.check_value(content["application/x-ndjson"]["schema"]["contentSchema"], json.loads(line))

    def check(self, method, target, status, headers, body):
        """-> what is wrong with a whole answer, or nothing."""
        found, operation = self.item(target), self.operation(method, target)
        if operation is None:
            return self.check_refusal(found, status, headers, body)
        response = operation["responses"].get(str(status))
        if response is None:
            return f"the status {status} is not described"
        response = self.resolve(response)
        for name in response.get("headers", {}):
            if headers.get(name) is None:
                return f"the header {name} is missing"
        kind = headers.get("Content-Type", "").partition(";")[0]
        media = response["content"].get(kind)
        if media is None:
            return f"the type {kind!r} is not described"
        if method == "HEAD" or "schema" not in media:
            return None
        if kind == "application/json":
            return self.check_value(media["schema"], json.loads(body))
        if kind == "application/x-ndjson":
            return next(filter(None, (self.check_line(method, target, line) for line in body.splitlines())), None)
        return None

    def check_refusal(self, found, status, headers, body):
        """Of a path or method that is not described: 404 or 405, or what everything is refused with."""
        wanted = 405 if found else 404
        if status not in (wanted, 400, 401, 403):
            return f"{status} for what is not described; {wanted} is right"
        if status == 405:
            there = sorted({"get": "GET, HEAD"}.get(method, method.upper()) for method in found[1])
            if headers.get("Allow") != ", ".join(there):
                return f"Allow says {headers.get('Allow')}, the description {', '.join(there)}"
        if headers.get("Content-Type") != "application/json":
            return None if status == 400 else "it is no Problem"
        return self.check_value(self.document["components"]["schemas"]["Problem"], json.loads(body))
