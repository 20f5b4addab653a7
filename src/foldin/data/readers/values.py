"""Values: what may stand in a column of ratings or amounts."""

from __future__ import annotations

from foldin.data.readers.columns import Column
from foldin.data.readers.notation import Notation

__all__ = ["GOOD_VALUE", "VALUE_REFUSALS", "is_number", "value_sql"]

GOOD_VALUE, NOT_A_NUMBER, NAN, INFINITE, BOOLEAN, PAST_INT64, PAST_FLOAT32, WITH_COMMA, WITH_POINT = range(9)

VALUE_REFUSALS = (
    "",
    "the value is not a number",
    "the value is NaN; leave the cell empty where there is none (pandas: frame[column].astype('Float64'))",
    "the value is infinite",
    "the value is a boolean, not a number",
    "the value is a whole number past 2^63",
    "the value is past the largest float32",
    "the value is not a number, unless its comma is a decimal mark: say so with decimal=',' / --decimal ,",
    "the value has a point, where the decimal mark is a comma; take out what parts thousands",
)
"""Why a value is refused, by its verdict."""

LARGEST_FLOAT32 = "3.4028234663852886e38"
TWO_TO_63 = "9223372036854775808"
WIDE_TYPES = ("HUGEINT", "UHUGEINT", "UBIGINT")
NUMBER_TYPES = frozenset(
    {
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
    }
)


def value_sql(column: Column, notation: Notation) -> tuple[str, str]:
    """The expressions of a column's values (FLOAT, NaN where empty) and of the verdicts on them."""
    if column.type == "VARCHAR":
        return _text_sql(f"trim({column.sql})", "true", notation)
    if column.type == "JSON":  # whose numbers have a point, whatever its texts have
        return _text_sql(f"trim({column.sql} ->> '$')", f"CAST({column.sql} AS VARCHAR)[1] = '\"'", notation)
    if is_number(column):
        return _number_sql(column)
    verdict = BOOLEAN if column.type == "BOOLEAN" else NOT_A_NUMBER
    return "'nan'::FLOAT", f"CASE WHEN {column.sql} IS NULL THEN {GOOD_VALUE} ELSE {verdict} END"


def is_number(column: Column) -> bool:
    """Whether a column is of numbers."""
    bare, _, rest = column.type.partition("(")
    return bare in NUMBER_TYPES and not rest.endswith("]")


def _text_sql(text: str, is_text: str, notation: Notation) -> tuple[str, str]:
    number = f"TRY_CAST({_with_decimal_point(text, is_text, notation)} AS DOUBLE)"
    verdict = (
        f"CASE WHEN coalesce({text}, '') = '' THEN {GOOD_VALUE} "
        f"WHEN lower({text}) IN ('true', 'false') THEN {BOOLEAN} "
        f"{_comma_sql(text, is_text, notation)} "
        f"WHEN {number} IS NULL OR contains({text}, '_') THEN {NOT_A_NUMBER} "
        f"WHEN isnan({number}) THEN {NAN} "
        f"WHEN isinf({number}) AND contains(lower({text}), 'inf') THEN {INFINITE} "
        f"WHEN abs({number}) >= {TWO_TO_63} AND regexp_full_match({text}, '[+-]?[0-9]+') THEN {PAST_INT64} "
        f"WHEN abs({number}) > {LARGEST_FLOAT32} THEN {PAST_FLOAT32} ELSE {GOOD_VALUE} END"
    )
    return _as_float(number), verdict


def _with_decimal_point(text: str, is_text: str, notation: Notation) -> str:
    return f"if({is_text}, replace({text}, ',', '.'), {text})" if notation.has_decimal_comma else text


def _comma_sql(text: str, is_text: str, notation: Notation) -> str:
    if notation.has_decimal_comma:  # 1.234 would be a number, and a thousandth of what was meant
        return f"WHEN {is_text} AND contains({text}, '.') THEN {WITH_POINT}"
    return f"WHEN regexp_full_match({text}, '[+-]?[0-9]+,[0-9]+') THEN {WITH_COMMA}"


def _number_sql(column: Column) -> tuple[str, str]:
    number = f"CAST({column.sql} AS DOUBLE)"
    missing = NAN if column.null_is_nan else GOOD_VALUE
    wide = PAST_INT64 if column.type in WIDE_TYPES else GOOD_VALUE
    verdict = (
        f"CASE WHEN {number} IS NULL THEN {missing} WHEN isnan({number}) THEN {NAN} "
        f"WHEN isinf({number}) THEN {INFINITE} WHEN abs({number}) > {LARGEST_FLOAT32} THEN {PAST_FLOAT32} "
        f"WHEN abs({number}) >= {TWO_TO_63} THEN {wide} ELSE {GOOD_VALUE} END"
    )
    return _as_float(number), verdict


def _as_float(number: str) -> str:
    return f"coalesce(TRY_CAST({number} AS FLOAT), 'nan'::FLOAT)"
