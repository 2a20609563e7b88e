"""Planted secrets of every kind, none of them real. Built from pieces so that secret scanners do not stop at this file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Canary:
    """A text as it would stand in a log line, and the part of it that must not be there."""

    text: str
    secret: str


def _whole(*pieces: str) -> Canary:
    return Canary("".join(pieces), "".join(pieces))


CANARIES = {
    "slack bot token": _whole("xo", "xb-1111111111-2222222222-CANARYabcdefghijklmnop"),
    "slack app token": _whole("xa", "pp-1-A01CANARY-3333333333-0123abcd0123abcd"),
    "slack refresh token": _whole("xo", "xe.xo", "xp-1-CANARYMi0yLTEyMzQ1Njc4OTA"),
    "slack webhook": _whole("https://hooks.", "slack.com/services/T0CANARY/B0CANARY/abcCANARYdef"),
    "openai key": _whole("s", "k-proj-CANARYabcdefghijklmnopqrstuvwxyz012345"),
    "anthropic key": _whole("s", "k-ant-api03-CANARY_abcdef-0123456789"),
    "bearer header": Canary("Authorization: Bearer CANARYabc.def/ghi+jkl=", "CANARYabc.def/ghi+jkl="),
    "signing secret": _whole("8f742231b10e8888abcd", "99yyyzzz85a5".replace("yyyzzz", "c0ffee")),
    "request signature": Canary("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", "a2114d57b48eac39"),
    "json web token": _whole("ey", "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.c2lnbmF0dXJlLUNBTkFSWQ"),
    "database address": Canary("postgresql+asyncpg://salesai:p4ss#CANARY@db.example/sales", "p4ss#CANARY"),
    "redis address": Canary("rediss://:CANARYsecretpw@cache.example:6379/0", "CANARYsecretpw"),
    "e-mail": _whole("hanako.canary@", "example.co.jp"),
    "telephone": _whole("090-", "1234-5678"),
    "password in a sentence": Canary("password=CANARY-hunter2", "CANARY-hunter2"),
    "password in Japanese": Canary("パスワード：CANARY-sakura", "CANARY-sakura"),
    "key in a mapping": Canary("'api_key': 'CANARY-plain-value'", "CANARY-plain-value"),
    "encryption key": _whole("Q0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0E", "="),
    "cloud key": _whole("AK", "IACANARYCANARY12"),
    "private key": Canary("-----BEGIN " + "PRIVATE KEY-----\nMIICANARY\n-----END " + "PRIVATE KEY-----", "MIICANARY"),
}  # fmt: skip
