#!/usr/bin/env python3
"""Writes the kept corpus, fuzz/corpus/: of the conformance cases and of those below, the few that reach something of their own.

Build the targets first (`make fuzz-build`). libFuzzer chooses, as `cargo fuzz cmin` does, which would name each file by its hash.
"""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FUZZ = pathlib.Path(__file__).resolve().parent
CONFORMANCE = FUZZ.parent / "host-test" / "conformance"
EXAMPLE = json.loads((CONFORMANCE / "base.json").read_text())
LARGEST = 4096

# The credentials of the target `answer`, in place of the stand-in's.
PASSWORD = 'p"a/ss wörd'
BASIC = base64.b64encode(f"camunda:{PASSWORD}".encode()).decode()
CREDENTIALS = {
    "demo-password": PASSWORD,
    base64.b64encode(b"camunda:demo-password").decode(): BASIC,
    "demo-api-key": "Key-4711",
    "demo-token": "tok.EN_0123456789",
}

ANSWERS = {
    "credentials_come_back_in_every_form": "400 whole\nX-Echo: Basic %s\n\n%s" % (BASIC, "\n".join([
        PASSWORD, "p%22a%2Fss+w%C3%B6rd", "p%22a%2Fss%20w%C3%B6rd", 'p\\"a/ss wörd', 'p\\"a\\/ss wörd',
        base64.b64encode(PASSWORD.encode()).decode(), "Key-4711", "JSESSIONID=ABBAabba", "tok.EN_0123456789",
    ])),
    "an_envelope_says_a_password": '500 whole\n\n{"error":{"message":"No p\\"a/ss wörd","detail":"Key-4711"}}',
    "a_redirect_says_a_token": "302 whole\nLocation: https://tok.EN_0123456789.example.com/\n\n",
    "a_cut_goes_through_a_letter_of_a_password": b'500 cut\n\np"a/ss w\xc3',
    "a_cut_goes_through_a_cookie": "403 large\n\nJSESSIONID=ABBAab",
    "a_cookie_is_kept_back": "200 whole\nSet-Cookie: JSESSIONID=1\nSET-COOKIE2: a\nset-cookies: b\n\n{}",
    "headers_come_again": "200 whole\nx-a: 1\nX-A: 2\nx-b: 3\nx-a: \xff\n\n[]".encode("latin-1"),
    "a_status_of_no_standard": "65535 whole\n\n",
    "a_token_answer": '200 whole\n\n{"access_token":"a.b-c","token_type":"Bearer","expires_in":1799}',
    "a_mark_before_a_page": b"200 whole\n\n\xef\xbb\xbf<!-- a --><?xml?> <!DoCtYpE\nhtml>",
    "deep_lists": "200 whole\n\n" + "[" * 101 + "]" * 101,
    "numbers_beyond_a_double": '200 whole\n\n{"a":1e999,"b":"\\ud800"}',
}

DATES = {
    "a_minute": "Retry-After: 60",
    "no_time_at_all": "Retry-After: 0",
    "beyond_32_bits": "Retry-After: 4294968",
    "beyond_64_bits": "Retry-After: 18446744073709551616",
    "no_number": "Retry-After: -1",
    "half_a_second": "Retry-After: 0.5",
    "a_date": "Retry-After: @784111807\nDate: @784111777",
    "a_date_that_is_past": "Retry-After: @784111777\nDate: @784111807",
    "a_date_of_rfc_850": "Retry-After: @@784111807\nDate: @784111777",
    "a_date_of_asctime": "Retry-After: @@@784111807\nDate: @@784111777",
    "a_date_without_now": "Retry-After: @784111807",
    "a_leap_day": "Retry-After: @951868800\nDate: @951782399",
    "the_last_second": "Retry-After: @253402300799\nDate: @0",
    "a_date_as_it_is_sent": "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\nDate: Sun, 06 Nov 1994 08:49:37 GMT",
    "a_date_with_a_wrong_day": "Retry-After: Mon, 31 Feb 1994 24:60:60 GMT\nDate: @784111777",
    "a_limit_that_is_reset": "X-RateLimit-Reset: 784111807\nDate: @784111777",
    "a_limit_that_was_reset": "X-RateLimit-Reset: 784111777\nDate: @784111807",
    "a_limit_without_now": "X-RateLimit-Reset: 784111807",
    "a_limit_behind_a_word": "Retry-After: soon\nX-RateLimit-Reset: 784111807\nDate: @784111777",
    "a_number_before_a_limit": "Retry-After: 7\nX-RateLimit-Reset: 784111807\nDate: @784111777",
    "the_first_of_two": "Retry-After: 1\nretry-after: 2",
    "spaces_around": "Retry-After: \u00a0 5 \u2003",
    "bytes_that_are_no_text": b"Retry-After: 5\xff\nDate: \xfe",
}

# Fields of the contract, and what is special in them, that the cases have only one by one.
INPUTS = {
    "everything_at_once": "\n".join([
        "snInstance=acme", "restApiTriggerPath=/api/a/b?x=1", "method=POST", 'headers.x-a=["1","2"]', "headers.cookie=SESSION-1234",
        "queryParameters.q=a b&c", 'queryParameters.r=[1,null,{"a":2}]', 'body={"a":1.50}', "authentication.type=apiKey",
        "authentication.apiKeyLocation=query", "authentication.name=k", "authentication.value=Secret-1",
        "connectionTimeoutInSeconds=1.5", "readTimeoutInSeconds=2e1", "maxResponseBytes=1024", "snDomain=example.com",
    ]),
    "a_credential_stands_elsewhere": "method=Secret-1234\nsnInstance=acme\nrestApiTriggerPath=/\nauthentication.token=Secret-1234",
    "a_credential_is_cut_elsewhere": "method=%s\nsnInstance=acme\nrestApiTriggerPath=/\nauthentication.token=%s" % (("Secret-1234" * 5,) * 2),
    "a_credential_of_a_list_stands_elsewhere":
        'method=Secret-1234\nsnInstance=acme\nrestApiTriggerPath=/\nheaders.authorization=["Bearer Secret-1234"]',
    "a_credential_stands_for_a_headers_name":
        "snInstance=acme\nrestApiTriggerPath=/\nmethod=GET\nheaders.Secret-12=x\nheaders.Secret-12 34=x\n"
        "authentication.type=bearer\nauthentication.token=Secret-12 34",
}


# Secrets, the encodings of the first, and a text with it.
MASKING = {
    "a_secret_as_it_is": "demo-password\n\nit said @.",
    "json_in_json": 'pa"ss\\word/1\njj\n{"error":{"message":"{\\"p\\":\\"@\\"}"}}',
    "html_in_json": 'pa"ss&word\nhj\n{"p":"<b>@</b>"}',
    "a_login_redirect": "Ab+c/d==\npp\nLocation: https://acme.example/login?url=%2Fapi%3Fkey%3D@%26x",
    "base64_in_percent": "p\u00e4ss w\u00f6rd\nbp\nAuthorization=Basic%20@",
    "basic_of_a_form": "p@ss/w:rd+x\nfu\nBasic @",
    "numbers_with_zeros": "demo-password\nn\n&#x00000064;emo @",
    "a_cut_escape": 'pass/w\U0001f600rd\nj\nit said pass/w\\ud83d\\u\u2026 and @',
    "a_shortened_front": "demo-password\n\nit said ...assword and \u2026%2Dpassword",
    "periodic": "abababababababab\tbababa\np\n" + "ab" * 40 + "\u2026" + "ba" * 10,
    "secrets_that_overlap": "abcdef\tdefghi\tcdef\n\n1abcdefghi2 abcdefdefghi @",
    "a_secret_with_escapes": "%41\\n&lt;x\nhpj\n@ %41",
    "markers_alone": "demo-password\n\n&&&&%%%%\\\\\\\\&#&#0000&#x\\u\\ud800%2%",
    "letters_in_another_case": "HunterTwo2024x\n\nThe request to huntertwo2024x.example.com",
}


def merged(target, patch):
    """RFC 7396, as the conformance cases have it."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), value)
    return target


def lines(value):
    """An input as src/fields.rs reads it; None where it cannot be written so."""
    out = []
    for name, member in value.items():
        members = [(f"{name}.{key}", inner) for key, inner in member.items()] if isinstance(member, dict) else [(name, member)]
        if name not in ("headers", "queryParameters", "authentication"):
            members = [(name, member)]
        for key, inner in members:
            plain = isinstance(inner, str) and not re.match(r'[\s\d"\[{tfn-]', inner) and "\n" not in inner
            text = inner if plain else json.dumps(inner, ensure_ascii=False)
            if "\n" in key or "=" in key or key.count(".") != (key.split(".")[0] != name or key != name):
                return None
            out.append(f"{key}={text}")
    return "\n".join(out)


def written(body):
    return base64.b64decode(body["base64"]) if isinstance(body, dict) else body.encode()


def answer(behaviour):
    """A server's behaviour as src/wire.rs reads it; None where no whole head comes."""
    if "answer" in behaviour:
        head = [f"{behaviour['answer']['status']} whole"]
        for name, values in behaviour["answer"].get("headers", {}).items():
            head += [f"{name}: {value}" for value in (values if isinstance(values, list) else [values])]
        body = written(behaviour["answer"].get("body", ""))
    else:
        steps = behaviour.get("script", [])
        bytes_ = b"".join(written(step["bytes"]) for step in steps if isinstance(step, dict) and "bytes" in step)
        if b"\r\n\r\n" not in bytes_:
            return None
        head, body = bytes_.split(b"\r\n\r\n", 1)
        status, *headers = head.decode("latin-1").split("\r\n")
        code = status.split(" ")[1] if " " in status else ""
        end = "silent" if steps[-1] == "silence" else "large" if "endless" in str(steps) else "cut"
        if "Connection: close" in headers:
            end = "whole"
        if not code.isdigit():
            return None
        head = [f"{code} {end}", *headers]
    text = "\n".join(head).encode() + b"\n\n" + body
    for theirs, ours in CREDENTIALS.items():
        # Within JSON, the quote in ours would end the text.
        text = text.replace(theirs.encode(), (json.dumps(ours, ensure_ascii=False)[1:-1] if b"{" in body else ours).encode())
    return text


def candidates():
    found = {"input": dict(INPUTS), "answer": dict(ANSWERS), "dates": dict(DATES), "masking": dict(MASKING)}
    for file in ("requests", "authentication", "refusals", "answers"):
        text = (CONFORMANCE / f"{file}.json").read_text().replace("${stand-in}", "127.0.0.1:8080")
        for case in json.loads(text):
            if "raw" in case:
                found["input"][case["name"]] = case["raw"]
            elif "input" in case:
                value = merged(EXAMPLE, case["input"])
                found["input"][case["name"]] = lines(value) or json.dumps(value, ensure_ascii=False)
            for behaviour in case.get("server", {}).values():
                seed = answer(behaviour) if isinstance(behaviour, dict) else None
                if seed:
                    found["answer"][case["name"]] = seed
                    times = [line for line in seed.split(b"\n\n")[0].split(b"\n") if re.match(rb"(?i)(retry-after|date|x-ratelimit-reset):", line)]
                    if times:
                        found["dates"][case["name"]] = b"\n".join(times)
    return found


def main():
    release = next(iter(FUZZ.glob("target/*/release/input")), None)
    if release is None:
        sys.exit("The targets are not built: make fuzz-build")
    for target, seeds in candidates().items():
        # Written by hand for what they say, whatever libFuzzer thinks of their coverage.
        kept = set({"input": INPUTS, "answer": ANSWERS, "dates": DATES, "masking": MASKING}[target])
        with tempfile.TemporaryDirectory() as folder:
            given, chosen = pathlib.Path(folder, "given"), pathlib.Path(folder, "chosen")
            given.mkdir()
            chosen.mkdir()
            by_bytes = {}
            for name, seed in seeds.items():
                seed = seed.encode() if isinstance(seed, str) else seed
                if len(seed) <= LARGEST:
                    by_bytes[seed] = name
                    given.joinpath(name).write_bytes(seed)
            # Which code is reached counts, and not how often: some dozens of files say enough.
            merge = [release.with_name(target), "-set_cover_merge=1", "-use_counters=0", f"-max_len={LARGEST}", chosen, given]
            subprocess.run(merge, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            kept |= {by_bytes[path.read_bytes()] for path in chosen.iterdir()}
            corpus = FUZZ / "corpus" / target
            shutil.rmtree(corpus, ignore_errors=True)
            corpus.mkdir(parents=True)
            for seed, name in by_bytes.items():
                if name in kept:
                    corpus.joinpath(name).write_bytes(seed)
        sizes = [path.stat().st_size for path in corpus.iterdir()]
        print(f"{target}: {len(sizes)} of {len(seeds)}, {sum(sizes)} bytes")


main()
