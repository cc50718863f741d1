"""Fills in names as Python itself does, for python_format_test.cc to compare with. Python 3.11 or later.

    python3 tests/tensorflow/make_name_formats.py

Each case is [name, epoch, loss, text]; text is null where Python refuses the name.
"""

import json
import pathlib
import random

OUTPUT = pathlib.Path(__file__).parents[2] / "src/keras/callbacks/testdata/python_formats.json"
EPOCHS = [0, 1, 7, 42, 999, 1000, 1234567, 2147483647]
LOSSES = [0.0, -0.0, 0.5, 0.3333333333333333, 0.6931471805599453, 1.0, 0.08, -0.08, 2.5, 3.5, 9.995, 99.9999, 12345.678, 123456.0, 1234567.0, -1234567.891,
          1e-4, 1e-5, 1.5e-7, 1e15, 1e16, 1.7976931348623157e308, 5e-324, 0.1, 100.0, 0.045, 1e22, float("inf"), float("-inf"), float("nan")]
WHOLE = ["", "{", "}", "{}", "{0}", "{{", "}}", "{{}}", "{{epoch}}", "{epoch", "epoch}", "{epoch}}", "{{epoch}", "{epoch:{loss:.0f}d}", "{epoch:02d-{val:.2f}}",
         "{epoch!s}", "{epoch!r:>5}", "{loss!s:.3}", "{loss!a}", "{epoch!x}", "{epoch!}", "{epoch!s", "{epoch!ss}", "{epoch!s:05}", "{epoch!s:+}", "{epoch!s:=5}",
         "{loss!s:^12}|", "{loss!r:<12.4s}|", "{loss!s:d}", "{loss!s:,}", "{loss!s:#}", "{loss:}", "{epoch:}", "{epoch:{{}}", "{epoch:{epoch:{epoch}}d}", "{loss:.{epoch}f}",
         "{loss:{epoch}.{epoch}f}", "{epoch:é>8}", "{epoch:é^8}", "{loss:→<12}", "{epoch:é}", "{loss:d}", "{loss:s}", "{epoch:s}", "{epoch:.2f}", "{epoch:.1%}", "{epoch:c}",
         "{epoch:+c}", "{epoch:#c}", "{epoch:#x}", "{epoch:#010b}", "{epoch:#o}", "{epoch:_x}", "{epoch:,x}", "{epoch:_b}", "{epoch:020_b}", "{epoch:n}", "{loss:n}",
         "{epoch:,n}", "{epoch:.3}", "{epoch:.3d}", "{epoch:zd}", "{loss:z.1f}", "{loss:.f}", "{loss:.}", "{loss:,_f}", "{loss:_,f}", "{loss:,,f}", "{loss: f}", "{loss:ff}",
         "{epoch:{:>5}", "{epoch:}>5}", "{epoch:{{>5}", "a{epoch:03d}b{loss:.4f}c", "{epoch:02d}-{loss:.2f}-{loss:.1%}", "{epoch:08,}", "{epoch:09,}", "{epoch:010,}",
         "{loss:012,.1f}", "{loss:013,.1f}", "{loss:014_.1f}", "{loss:x<20,}", "{loss:=+20,}", "{loss:<08}", "{loss:>08}", "{epoch:^08}", "{epoch:=8}", "{epoch:0=8}",
         "{epoch:x=8}", "{epoch:0}", "{epoch:00}", "{epoch:010}", "{epoch: }", "{epoch:-}", "{epoch:+}", "{nothing}", "{epoch.nothing}", "{epoch[0]}"]


def spec(random):
    pick = random.choice
    fill = pick(["", "", "", "*", "0", "x", "+", ","])
    align = pick(["", "", "<", ">", "=", "^"])
    return "".join([fill if align else "", align, pick(["", "", "+", "-", " "]), pick([""] * 6 + ["z"]), pick(["", "", "#"]), pick(["", "", "0"]),
                    pick(["", "", "1", "8", "12", "25"]), pick(["", "", ",", "_"]), pick(["", "", ".0", ".1", ".2", ".3", ".6", ".17"]),
                    pick(["", "", "d", "e", "E", "f", "F", "g", "G", "%", "n", "x", "X", "b", "o", "s"])])


def fill(name, epoch, loss):
    try:
        return name.format(epoch=epoch, loss=loss)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError):
        return None


def main():
    source = random.Random(12)
    cases = [(name, epoch, loss) for name in WHOLE for epoch, loss in [(1, 0.6931471805599453), (1234567, -1234567.891)]]
    cases += [("{loss:%s}" % text, 1, loss) for text in ["", ".1%", ".3", ".1", "#", "#.3", "g", ".2f", "e", "#g", "#.0f", "z.0f", ".0%", "016,"] for loss in LOSSES]
    cases += [("{%s:%s}" % (source.choice(["epoch", "loss", "loss"]), spec(source)), source.choice(EPOCHS), source.choice(LOSSES)) for _ in range(3000)]
    cases = [case for case in cases if len(fill(*case) or "") < 500]  # no width in a name reaches our limit
    lines = [json.dumps([name, epoch, repr(loss), fill(name, epoch, loss)], ensure_ascii=False) for name, epoch, loss in cases]
    OUTPUT.write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
