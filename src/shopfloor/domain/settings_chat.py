"""What can be set about chat bridges: the section `[chat.telegram]`."""

from typing import Annotated, NamedTuple

from shopfloor.domain.words import Words


class Telegram(NamedTuple):
    """The bridge to Telegram, `shop chat serve`.

    A message is heard if its chat is in `chats` or its sender in `users`; with neither, nobody is. Whoever
    is heard may do what a person at this machine may, but for administration.
    """

    token_file: Annotated[
        str | None, Words("A file with the bot's token, for its owner's eyes only.", "none")
    ] = None
    token_env: Annotated[
        str | None, Words("The variable that holds the token, instead of a file.", "none")
    ] = None
    chats: Annotated[
        tuple[int, ...], Words("The numbers of chats and groups that are heard, whoever writes.")
    ] = ()
    users: Annotated[
        tuple[int | str, ...], Words("The numbers or names of people who are heard in every chat.")
    ] = ()
    admins: Annotated[
        tuple[int | str, ...],
        Words("Those of them who may also administer: boards, profiles, tokens, clean-up."),
    ] = ()
    board: Annotated[
        str | None, Words("The board that is meant where none is named.", "the current board")
    ] = None
    api: Annotated[
        str, Words("The address of the Bot API, where you run a server of your own.")
    ] = "https://api.telegram.org"
