"""The command line: pymlm demo | fit | doctor | parity."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pymlm.arguments import file_to_write
from pymlm.errors import ArgumentError, PymlmError
from pymlm.standard_output import Reader, unread

if TYPE_CHECKING:
    import pandas as pd

#: Exit codes, as `pymlm --help` says them.
DISAGREES, REFUSED, INTERRUPTED = 1, 2, 130

#: What the check panel can be drawn into, by the end of the file's name.
DRAWN = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".eps", ".ps")

#: Below the help of a command; \b keeps the lines as they are.
EXAMPLES = """\b
Examples:
  pymlm fit data.csv "score ~ x + (1 | school)" --factor school --ddf KR
  pymlm fit wave*.csv "y ~ x + (1 | id)" --format csv --save "models/{}.rds" > table.csv
  zcat data.csv.gz | pymlm fit - "y ~ x + (x | g)" --format md --plot checks.png"""
EXAMPLE = """\b
Example:
  pymlm parity data.csv "score ~ x + (1 | school)" --factor school"""

app = typer.Typer(
    name="pymlm",
    help="R's mixed models from Python: fit, compare with R, look at the installation.",
    epilog=(
        "Exit codes: 0 done; 1 doctor or parity found something; 2 the input was refused or a fit "
        "failed (of several files: of at least one); 130 interrupted. Errors and warnings are "
        "lines on standard error."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text, which reads the same in a pipe
)


class Format(StrEnum):
    """Output formats of `pymlm fit`."""

    text = "text"
    json = "json"
    csv = "csv"
    md = "md"
    latex = "latex"
    html = "html"


DataFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="CSV, TSV or Parquet file with the data; - reads stdin."),
]
DataFiles = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="CSV, TSV or Parquet files; - reads standard input."),
]
FormulaText = Annotated[str, typer.Argument(metavar="FORMULA", help="lme4 formula, quoted.")]
Ml = Annotated[bool, typer.Option("--ml", help="Maximum likelihood instead of REML.")]
Family = Annotated[str | None, typer.Option(help="Fit a GLMM of this family, e.g. binomial.")]
Factor = Annotated[
    list[str] | None, typer.Option(metavar="COL", help="Make this column a factor; repeatable.")
]
Sep = Annotated[
    str | None,
    typer.Option(help="What stands between columns; found by itself: comma, semicolon, tab, |."),
]
Decimal = Annotated[
    str | None, typer.Option(help="Decimal mark, . or a comma; found by itself where it is clear.")
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from pymlm._version import __version__

        print(f"pymlm {__version__}")
        raise typer.Exit


@app.command()
def demo() -> None:
    """Fit sleepstudy, then the data of a multilevel course, beside their printed tables."""
    from pymlm.demo import run

    run()


@app.command(epilog=EXAMPLES)
def fit(
    files: DataFiles,
    formula: FormulaText,
    ml: Ml = False,
    ddf: Annotated[
        str | None,
        typer.Option(
            help="Satterthwaite (default), Kenward-Roger (KR), between-within (BW), asymptotic (z) "
            "or none."
        ),
    ] = None,
    family: Family = None,
    factor: Factor = None,
    format: Annotated[Format, typer.Option(help="How to write the summary.")] = Format.text,
    sep: Sep = None,
    decimal: Decimal = None,
    save: Annotated[str | None, typer.Option(help="Save the model for R (.rds).")] = None,
    to_r: Annotated[str | None, typer.Option(help="Write the R script of the analysis.")] = None,
    plot: Annotated[
        str | None, typer.Option(help="Draw the check panel into a .png, .pdf or .svg file.")
    ] = None,
) -> None:
    """Fit a mixed model to each file, in one process, and print its summary.

    Every format has fixed and random effects; json and csv of several files say whose each is. A
    file that cannot be fitted does not stop the others. With several files, {} in --save, --to-r
    and --plot is the file's name.
    """
    targets = {"--save": save, "--to-r": to_r, "--plot": plot}
    for option, target in targets.items():
        if target is not None and len(files) > 1 and "{}" not in target:
            raise ArgumentError(f"{option} {target}: of several files write {{}} in its name")
        if target is not None:  # before a fit, which may take hours
            _place(option, target.replace("{}", "data"))
    if Path(formula).is_file() and any("~" in file for file in files):
        raise ArgumentError(f"the formula goes last: pymlm fit {formula} '{files[0]}'")
    given = {} if ddf is None else {"ddf": None if ddf.casefold() == "none" else ddf}
    answers: list[tuple[str, Any]] = []
    for file in files:
        name = "stdin" if file == "-" else Path(file).stem
        try:
            model = _fit(file, formula, ml, family, factor, sep, decimal)
            answer = _answer(model, format, given)
            _show(file, answer, format, alone=len(files) == 1)
            _write(model, *(t and t.replace("{}", name) for t in targets.values()))
        except PymlmError as error:
            if len(files) == 1:
                raise
            answer = error
            _say(f"{file}: {error}")
        answers.append((file, answer))
        if unread() and not any(targets.values()):
            break
    _show_together(answers, format, alone=len(files) == 1)
    failed = any(isinstance(answer, PymlmError) for _, answer in answers)
    raise typer.Exit(REFUSED if failed else 0)


def _place(option: str, target: str) -> Path:
    """Return where to write; raises DataError for no place, ArgumentError for no picture."""
    path = file_to_write(target)
    if option == "--plot" and path.suffix.lower() not in DRAWN:
        ways = ", ".join(DRAWN)
        raise ArgumentError(f"cannot draw into {target!r}: its name must end in one of {ways}")
    return path


def _write(model: Any, save: str | None, to_r: str | None, plot: str | None) -> None:
    """What of a model goes into files."""
    if save is not None:
        _say(f"saved {model.save(save)}")
    if to_r is not None:
        model.to_r(to_r)
        _say(f"wrote {to_r}")
    if plot is not None:
        _draw(model, _place("--plot", plot))
        _say(f"drew {plot}")


def _draw(model: Any, path: Path) -> None:
    """Draw the check panel into a file, whose suffix names the format."""
    panels = model.plot()
    figure = panels[0].figure
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise ArgumentError(f"cannot draw into {str(path)!r}: {error}") from None
    finally:
        from matplotlib import pyplot as plt

        plt.close(figure)


@app.command(epilog=EXAMPLE)
def parity(
    file: DataFile,
    formula: FormulaText,
    ml: Ml = False,
    family: Family = None,
    factor: Factor = None,
    sep: Sep = None,
    decimal: Decimal = None,
) -> None:
    """Fit in pymlm and in native R; exit 0 only where every number agrees."""
    from pymlm.parity import check_parity

    report = check_parity(_fit(file, formula, ml, family, factor, sep, decimal))
    print(report)
    raise typer.Exit(0 if report.ok else DISAGREES)


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Look at R, its packages and rpy2; exit 1 when the main job cannot run."""
    from pymlm.engine.requirements import doctor as examine

    report = examine()
    print(report.to_json() if json else report)
    raise typer.Exit(0 if report.ok else DISAGREES)


def _fit(
    file: str, formula: str, ml: bool, family: str | None, factor: Sequence[str] | None,
    sep: str | None, decimal: str | None,
) -> Any:  # fmt: skip
    from pymlm.data_files import read_data

    data = read_data(file, sep, decimal)
    for column in factor or []:
        from pymlm.frames import used_columns

        used_columns(data, [column], "option --factor")
        data[column] = _as_factor(data[column])
    data.attrs["name"] = "stdin" if file == "-" else Path(file).stem
    if family is not None:
        from pymlm.models.glmer import glmer

        if ml:
            raise ArgumentError("--ml is for linear models; a GLMM is always fitted by it")
        return glmer(formula, data, family=family)
    from pymlm.models.lmer import lmer

    return lmer(formula, data, reml=not ml)


def _as_factor(column: pd.Series) -> pd.Series:
    """A category whose levels are sorted by value, as R's factor() sorts numbers.

    Text stays text: it becomes a factor in any case, and R sorts text by its locale.
    """
    import pandas as pd

    return column if pd.api.types.is_string_dtype(column.dtype) else column.astype("category")


# --- what goes to standard output ---------------------------------------------------------------

#: What stands above a file's answer where there are several.
_HEADINGS = {Format.text: "== {} ==", Format.md: "## {}\n", Format.latex: "% {}"}


def _answer(model: Any, format: Format, ddf: dict[str, Any]) -> Any:
    """A model's summary in a format: a text, or a dict (JSON) or frame (CSV) to go with others."""
    if format is Format.csv:
        return model.tidy(("fixed", "ran_pars"), conf_int=True, **ddf).to_frame()
    summary = model.summary(**ddf)
    ways = {
        Format.text: summary.__str__, Format.json: summary.to_dict, Format.md: summary.to_markdown,
        Format.latex: summary.to_latex, Format.html: summary.to_html,
    }  # fmt: skip
    return ways[format]()


def _show(file: str, answer: Any, format: Format, *, alone: bool) -> None:
    """Print what stands for itself as soon as it is there."""
    if not isinstance(answer, str):
        return
    if not alone and format is Format.html:
        from pymlm.escape import html_paragraph

        print(html_paragraph(file))
    elif not alone:
        print(_HEADINGS[format].format(file))
    print(answer if alone else f"{answer}\n", flush=True)


def _show_together(answers: Sequence[tuple[str, Any]], format: Format, *, alone: bool) -> None:
    """Print what is one document: JSON, and CSV with the file's name in its first column."""
    if format is Format.json:
        import json

        found = {f: {"error": str(a)} if isinstance(a, PymlmError) else a for f, a in answers}
        print(json.dumps(answers[0][1] if alone else found, indent=2))
    elif format is Format.csv:
        import pandas as pd

        frames = [
            frame if alone else pd.concat({file: frame}, names=["file"]).reset_index(0)
            for file, frame in answers
            if not isinstance(frame, PymlmError)
        ]
        if frames:
            print(pd.concat(frames).to_csv(index=False), end="")


def _say(text: str) -> None:
    """One line on standard error, whatever the message."""
    if sys.stderr is not None:
        print(f"pymlm: {' '.join(str(text).split())}", file=sys.stderr)


def _run() -> int:
    """The exit code of what the words of the command line ask for."""
    try:
        code = app(standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except PymlmError as error:
        _say(str(error))
        return REFUSED
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
        return INTERRUPTED
    except OSError as error:  # of standard output: a full disk
        if isinstance(sys.stdout, Reader):
            sys.stdout.leave()
        _say(f"cannot write: {error.strerror or error}")
        return REFUSED
    except Exception as error:
        # Typer's own, which since 0.20 are not click's: a wrong option, a missing argument.
        say = getattr(error, "format_message", None)
        if say is None:
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(say(), file=sys.stderr)
            return REFUSED
        command = getattr(getattr(error, "ctx", None), "command_path", "pymlm")
        _say(f"{say()} See: {command} --help")
        return REFUSED
    return int(code) if isinstance(code, int) else 0


def main() -> None:
    """Run the command line; an expected error ends with one clear line and exit code 2."""
    import warnings

    from pymlm.errors import PymlmWarning

    def one_line(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        _say(f"{category.__name__}: {message}")

    warnings.simplefilter("always", PymlmWarning)
    warnings.showwarning = one_line
    if sys.stdout is not None:
        sys.stdout = Reader(sys.stdout)
    sys.exit(_run())


if __name__ == "__main__":
    main()
