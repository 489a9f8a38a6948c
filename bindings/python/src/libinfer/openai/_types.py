# SPDX-License-Identifier: MIT
"""What a parameter may be besides a value."""

from typing import Optional, Union


class NotGiven:
    """The default of a parameter for which None means something."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


class Omit(NotGiven):
    """Leaves a parameter away, or a default header."""


NOT_GIVEN = NotGiven()
not_given = NOT_GIVEN
omit = Omit()


class Timeout:
    """Seconds of silence that a call bears. A number stands for all four;
    None is no limit. Of write and pool the library has no notion."""

    def __init__(
        self,
        timeout: Union[float, None, NotGiven] = NOT_GIVEN,
        *,
        connect: Union[float, None, NotGiven] = NOT_GIVEN,
        read: Union[float, None, NotGiven] = NOT_GIVEN,
        write: Union[float, None, NotGiven] = NOT_GIVEN,
        pool: Union[float, None, NotGiven] = NOT_GIVEN,
    ) -> None:
        def chosen(given: Union[float, None, NotGiven]) -> Optional[float]:
            value = timeout if isinstance(given, NotGiven) else given
            if isinstance(value, NotGiven):
                raise ValueError("a Timeout needs a default or all four values")
            return value

        self.connect = chosen(connect)
        self.read = chosen(read)
        self.write = chosen(write)
        self.pool = chosen(pool)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timeout) and vars(self) == vars(other)

    def __repr__(self) -> str:
        values = ", ".join(
            f"{name}={value}" for name, value in vars(self).items()
        )
        return f"Timeout({values})"


DEFAULT_TIMEOUT = Timeout(600, connect=5.0)
DEFAULT_MAX_RETRIES = 2
