"""The command line: pymlm demo | fit | doctor | parity."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pymlm.arguments import file_to_write
from pymlm.errors import ArgumentError, PymlmError

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    name="pymlm",
    help="R's mixed models from Python: fit, compare with R, look at the installation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """Output formats of `pymlm fit`."""

    text = "text"
    json = "json"
    md = "md"
    latex = "latex"
    html = "html"


DataFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV or Parquet file with the data.")
]
FormulaText = Annotated[str, typer.Argument(metavar="FORMULA", help="lme4 formula, quoted.")]
Ml = Annotated[bool, typer.Option("--ml", help="Maximum likelihood instead of REML.")]
Family = Annotated[str | None, typer.Option(help="Fit a GLMM of this family, e.g. binomial.")]
Factor = Annotated[
    list[str] | None, typer.Option(metavar="COL", help="Make this column a factor; repeatable.")
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


@app.command()
def fit(
    file: DataFile,
    formula: FormulaText,
    ml: Ml = False,
    ddf: Annotated[
        str | None,
        typer.Option(
            help="Satterthwaite (default), Kenward-Roger, between-within, asymptotic or none."
        ),
    ] = None,
    family: Family = None,
    factor: Factor = None,
    format: Annotated[Format, typer.Option(help="How to write the summary.")] = Format.text,
    save: Annotated[Path | None, typer.Option(help="Save the model for R (.rds).")] = None,
    to_r: Annotated[Path | None, typer.Option(help="Write the R script of the analysis.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the check panel into a .png, .pdf or .svg file.")
    ] = None,
) -> None:
    """Fit a mixed model to a file and print its summary."""
    model = _fit(file, formula, ml, family, factor)
    given = {} if ddf is None else {"ddf": None if ddf.casefold() == "none" else ddf}
    print(_formatted(model.summary(**given), format))
    if save is not None:
        print(f"saved {model.save(save)}", file=sys.stderr)
    if to_r is not None:
        model.to_r(to_r)
        print(f"wrote {to_r}", file=sys.stderr)
    if plot is not None:
        _draw(model, plot)
        print(f"drew {plot}", file=sys.stderr)


def _draw(model: Any, path: Path) -> None:
    """Draw the check panel into a file, whose suffix names the format."""
    path = file_to_write(path)
    panels = model.plot()
    try:
        panels[0].figure.savefig(path)
    except (OSError, ValueError) as error:
        raise ArgumentError(f"cannot draw into {str(path)!r}: {error}") from None


@app.command()
def parity(
    file: DataFile,
    formula: FormulaText,
    ml: Ml = False,
    family: Family = None,
    factor: Factor = None,
) -> None:
    """Fit in pymlm and in native R; exit 0 only where every number agrees."""
    from pymlm.parity import check_parity

    report = check_parity(_fit(file, formula, ml, family, factor))
    print(report)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Look at R, its packages and rpy2; exit 1 when the main job cannot run."""
    from pymlm.engine.requirements import doctor as examine

    report = examine()
    print(report.to_json() if json else report)
    raise typer.Exit(0 if report.ok else 1)


def _fit(file: Path, formula: str, ml: bool, family: str | None, factor: list[str] | None) -> Any:
    data = read_data(file)
    for column in factor or []:
        from pymlm.frames import used_columns

        used_columns(data, [column], "option --factor")
        data[column] = _as_factor(data[column])
    data.attrs["name"] = file.stem
    if family is not None:
        from pymlm.models.glmer import glmer

        return glmer(formula, data, family=family)
    from pymlm.models.lmer import lmer

    return lmer(formula, data, reml=not ml)


def _as_factor(column: pd.Series) -> pd.Series:
    """A category whose levels are sorted by value, as R's factor() sorts numbers.

    Text stays text: it becomes a factor in any case, and R sorts text by its locale.
    """
    import pandas as pd

    return column if pd.api.types.is_string_dtype(column.dtype) else column.astype("category")


def read_data(file: Path) -> pd.DataFrame:
    """Read a CSV or Parquet file.

    Parameters
    ----------
    file : Path

    Raises
    ------
    DataError
        When it is not there, cannot be read, or is of another kind.
    """
    import pandas as pd

    from pymlm.errors import DataError

    if not file.is_file():
        raise DataError(f"no such file: {str(file)!r}")
    kind = file.suffix.lower()
    try:
        if kind == ".parquet":
            return pd.read_parquet(file)
        if kind in (".csv", ".txt", ".gz"):
            return pd.read_csv(file)
        if kind == ".tsv":
            return pd.read_csv(file, sep="\t")
    except ImportError as error:
        raise DataError(
            f"reading Parquet needs pyarrow ({error}); run: pip install 'pymlm[parquet]'"
        ) from None
    except Exception as error:
        raise DataError(f"{str(file)!r} cannot be read: {str(error).strip()}") from None
    raise DataError(f"{str(file)!r} is neither .csv, .tsv nor .parquet")


def _formatted(summary: Any, format: Format) -> str:
    if format is Format.text:
        return str(summary)
    if format is Format.json:
        return str(summary.to_json(indent=2))
    ways = {Format.md: summary.to_markdown, Format.latex: summary.to_latex}
    return str(ways.get(format, summary.to_html)())


def main() -> None:
    """Run the command line; an expected error ends with one clear line and exit code 2."""
    import warnings

    from pymlm.errors import PymlmWarning

    def one_line(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        print(f"pymlm: {category.__name__}: {message}", file=sys.stderr)

    warnings.simplefilter("always", PymlmWarning)
    warnings.showwarning = one_line
    try:
        app(standalone_mode=True)
    except PymlmError as error:
        print(f"pymlm: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("pymlm: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
