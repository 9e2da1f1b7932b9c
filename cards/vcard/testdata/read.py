# Reads cards, one a line as a JSON string, with vobject, and writes what it found,
# one a line as a JSON object.
import base64
import io
import json
import sys

import vobject


def texts(card, name):
    return [line.value for line in getattr(card, name + "_list", [])]


def typed(card, name):
    return [
        {"Value": line.value, "Types": line.params.get("TYPE", [])}
        for line in getattr(card, name + "_list", [])
    ]


# vobject takes the URI of a photo in 4.0 for a text, and would cut it at its comma.
def photos(text, card):
    if card.version.value == "3.0":
        return [base64.b64encode(p).decode() for p in texts(card, "photo")]
    lines = (vobject.base.textLineToContentLine(line) for line, _ in vobject.base.getLogicalLines(io.StringIO(text)))
    return [line.value for line in lines if line.name == "PHOTO"]


def address(line):
    parts = vars(line.value)
    return {
        "Parts": [parts[p] for p in ("box", "extended", "street", "city", "region", "code", "country")],
        "Types": line.params.get("TYPE", []),
    }


for line in sys.stdin:
    text = json.loads(line)
    card = vobject.readOne(text)
    name = vars(card.n.value)
    found = {
        "Version": card.version.value,
        "FN": texts(card, "fn"),
        "N": [name[p] for p in ("family", "given", "additional", "prefix", "suffix")],
        "ORG": texts(card, "org"),
        "TITLE": texts(card, "title"),
        "NOTE": texts(card, "note"),
        "URL": texts(card, "url"),
        "UID": texts(card, "uid"),
        "REV": texts(card, "rev"),
        "LANG": texts(card, "lang"),
        "TEL": typed(card, "tel"),
        "EMAIL": typed(card, "email"),
        "ADR": [address(a) for a in getattr(card, "adr_list", [])],
        "PHOTO": photos(text, card),
    }
    print(json.dumps(found))
