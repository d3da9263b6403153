import pytest

from workspace.fhir.identifiers import national_number, organisation_number


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("13097248022", "fnr"),
        ("53097248016", "dnr"),
        ("13527248013", "hnr"),
        ("10915596784", "tnr"),
        ("15720255178", "nhn"),
        ("56845020162", "dnr+tnr"),
        ("13116900216", "fnr"),
        ("12050050295", "fnr"),
        ("03117000205", "fnr"),
        ("20086600138", "fnr"),
        ("15076500565", "fnr"),
        ("15021951940", "fnr"),
        ("05076600324", "checksum"),
        ("13097248032", "checksum"),
        ("1309724802", "length"),
        ("1309724802x", "length"),
        ("", "length"),
    ],
)
def test_a_national_number_is_sorted_into_its_class(text, kind):
    assert national_number(text).kind == kind


@pytest.mark.parametrize("number", ["13857430071", "13857430098", "13857430152"])
def test_the_rule_from_2032_admits_more_numbers_and_tells_no_century(number):
    found = national_number(number)
    assert found.valid
    assert found.series2032
    assert found.born is None


def test_the_second_control_digit_is_checked_under_the_rule_from_2032_too():
    # A published example whose first digit fits the new rule, but whose second fits neither.
    assert national_number("13057444850").kind == "checksum"


def test_birth_date_is_read_through_the_synthetic_month():
    assert str(national_number("09853922703").born) == "1939-05-09"
    assert str(national_number("157202 55178").born) == "2002-07-15"
    assert national_number("09853922703").synthetic
    assert not national_number("13097248022").synthetic


@pytest.mark.parametrize("number", ["997506499", "875300342", "993467049", "974589095", "874716782", "311000101"])
def test_organisation_numbers_with_the_right_digit(number):
    assert organisation_number(number)


@pytest.mark.parametrize("number", ["314159265", "99750649", "abcdefghi", ""])
def test_organisation_numbers_that_are_not(number):
    assert not organisation_number(number)
