"""The Arduino's lines: what was sent whole is read, all else is dropped."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import arduino_protocol as protocol
from hardware.arduino_protocol import BOARD, HOST, LineParser, Message, checksum, decode, encode

FIRMWARE = Path(__file__).resolve().parents[2] / "hardware" / "arduino" / "rigloop_outputs"
HEX = "0123456789ABCDEF"


def hexes(count):
    return st.text(HEX, min_size=count, max_size=count)


numbers = st.integers(0, 255)
commands = st.one_of(
    st.builds(Message, numbers, st.sampled_from("VHLQ"), st.just("")),
    st.builds(protocol.configure, numbers, st.integers(0, 15), st.integers(0, 255), st.booleans()),
    st.builds(protocol.set_line, numbers, st.integers(0, 15), st.booleans(), st.integers(0, protocol.ASKED_MAX_US)),
)
answers = st.one_of(
    st.builds(Message, numbers, st.just("K"), hexes(8)),
    st.builds(Message, numbers, st.just("N"), st.sampled_from("CSLPHXW")),
    st.builds(Message, numbers, st.just("Q"), hexes(10)),
    st.builds(Message, numbers, st.just("E"), st.builds("{}T{}".format, hexes(1), hexes(8))),
)
messages = st.one_of(st.tuples(commands, st.just(HOST)), st.tuples(answers, st.just(BOARD)))


def test_the_checksum_is_the_published_one():
    """CRC-16/IBM-3740, the check value of the catalogue of CRCs."""
    assert checksum(b"123456789") == 0x29B1


def test_a_line_is_as_the_reference_shows_it():
    assert encode(protocol.set_line(0x2A, 0, True, 50_000)) == b">2AS010000C350*3F6C\n"


@given(messages)
def test_what_was_sent_whole_is_read(sent):
    message, start = sent
    line = encode(message, start)
    assert LineParser(start).feed(line) == [message]
    assert len(line) <= protocol.LONGEST_BODY + 2


@given(messages, st.data())
def test_a_line_that_was_changed_is_refused(sent, data):
    """Up to two bytes beside each other: within the 16 bits of the checksum."""
    message, start = sent
    line = bytearray(encode(message, start))
    at = data.draw(st.integers(0, len(line) - 1))
    for place in range(at, min(at + data.draw(st.integers(1, 2)), len(line) - 6)):
        line[place] ^= data.draw(st.integers(1, 255))
    if at >= len(line) - 6:
        line[at] ^= data.draw(st.integers(1, 255))
    assert LineParser(start).feed(bytes(line)) == []


@given(messages, st.data())
def test_a_line_that_lost_a_byte_is_refused(sent, data):
    message, start = sent
    line = encode(message, start)
    at = data.draw(st.integers(0, len(line) - 1))
    assert LineParser(start).feed(line[:at] + line[at + 1 :]) == []


@given(messages, st.data())
def test_a_line_that_gained_a_byte_is_refused(sent, data):
    message, start = sent
    line = encode(message, start)
    at = data.draw(st.integers(1, len(line) - 1))
    # A second start begins the line anew: what follows it was sent whole.
    same = {line[at], start[0]} if at == 1 else {line[at]}
    more = bytes([data.draw(st.integers(0, 255).filter(lambda byte: byte not in same))])
    assert LineParser(start).feed(line[:at] + more + line[at:]) == []


@given(st.lists(st.one_of(st.binary(max_size=40), commands.map(encode)), max_size=12), st.data())
def test_no_stream_gives_a_command_that_was_not_sent_whole(pieces, data):
    stream = b"".join(pieces)
    cut = data.draw(st.integers(0, len(stream)))
    parser = LineParser(HOST)
    for message in parser.feed(stream[:cut]) + parser.feed(stream[cut:]):
        assert encode(message) in stream


@given(st.binary(max_size=200), commands)
def test_a_line_is_heard_after_any_noise(noise, message):
    assert LineParser(HOST).feed(noise + encode(message))[-1:] == [message]


@given(st.lists(messages, max_size=5), st.data())
def test_how_bytes_are_cut_does_not_matter(sent, data):
    stream = b"".join(encode(message, BOARD) for message, start in sent if start == BOARD)
    parser, at, heard = LineParser(), 0, []
    while at < len(stream):
        step = data.draw(st.integers(1, 9))
        heard += parser.feed(stream[at : at + step])
        at += step
    assert heard == [message for message, start in sent if start == BOARD]
    assert parser.broken == 0


@given(messages)
def test_neither_side_takes_its_own_words_for_the_others(sent):
    message, start = sent
    assert LineParser(HOST if start == BOARD else BOARD).feed(encode(message, start)) == []


@given(st.binary(max_size=64))
def test_decoding_never_fails(body):
    message = decode(body, HOST)
    assert message is None or encode(message) == HOST + body + b"\n"


@pytest.mark.parametrize(
    "body", [b"01H*", b"01H*12", b"*0000", b"", b"01H", b"1H*0000", b"01h*0000", b"01H0*0000", b"0GH*0000"]
)
def test_what_is_no_line(body):
    assert decode(body, HOST) is None


def test_lower_case_is_no_checksum():
    line = encode(Message(1, "Q"))
    assert line[-5:-1] != line[-5:-1].lower()
    assert LineParser(HOST).feed(line[:-5] + line[-5:-1].lower() + b"\n") == []


def test_a_line_that_never_ends_takes_no_memory():
    parser = LineParser()
    assert parser.feed(b"<" + b"0" * 50_000) == []
    assert parser.broken == 1


def test_a_bound_that_the_board_cannot_count_is_refused():
    with pytest.raises(ValueError, match="at_most_us is 600000001"):
        protocol.set_line(1, 0, True, 600_000_001)


def test_what_a_hello_says():
    hello = protocol.hello_args(Message(1, "V", "0102M81388006403E804"))
    assert hello == protocol.Hello(1, 2, "M", 8, 5000, 100, 1000, 4)
    assert (hello.name, hello.last_pin) == ("Mega 2560", 69)


def constant(name, file):
    return int(re.search(rf"^#define {name} (\d+)", (FIRMWARE / file).read_text(), re.MULTILINE)[1])


def test_driver_and_firmware_hold_the_same_numbers():
    assert constant("PROTOCOL_VERSION", "limits.h") == protocol.PROTOCOL_VERSION
    assert constant("ASKED_MAX_US", "limits.h") == protocol.ASKED_MAX_US
    assert constant("LONGEST", "protocol.c") == protocol.LONGEST_BODY
    assert constant("BAUD", "serial.c") == protocol.BAUD


def test_driver_and_firmware_have_the_same_letters():
    text = "".join(path.read_text() for path in FIRMWARE.glob("*.[ch]"))
    refused = set(re.findall(r"#define REFUSED_\w+ '(.)'", text))
    closed = set(re.findall(r"#define CLOSED_\w+ '(.)'", text))
    from hardware.arduino_board import REFUSALS

    assert refused == set(REFUSALS)
    assert closed == {cause.value for cause in protocol.Closed}
