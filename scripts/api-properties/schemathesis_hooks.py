"""What schemathesis lacks for our bodies: those that are not JSON are sent as the text or the bytes that were generated."""

import json
import os

import schemathesis
from schemathesis.transport.serialization import Binary

MEDIA_TYPES = os.environ["IMSCOPE_PLAIN_MEDIA_TYPES"].split()


def plain(_context, value):
    if isinstance(value, Binary):
        return value.data
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


if MEDIA_TYPES:
    schemathesis.serializer(*MEDIA_TYPES)(plain)
