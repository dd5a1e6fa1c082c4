"""How a user tells each agent program where its models are: variables, and settings files of its own.

A function a program: given the address of the model server and a folder for files, it answers with the
fields of the profile.  Nothing here is about the board: tools, sessions, output and permissions are the
preset's business, and what stands here must live together with that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEY = "sk-scripted-0123456789"
Fields = dict[str, Any]


def claude(address: str, _folder: Path) -> Fields:
    env = {"ANTHROPIC_BASE_URL": address, "ANTHROPIC_API_KEY": KEY}
    return {"model": "claude-sonnet-4-5", "env": env, "secrets": ["ANTHROPIC_API_KEY"]}


def codex(address: str, folder: Path) -> Fields:
    settings = f"""
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "{address}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
"""
    (folder / "config.toml").write_text(settings)
    env = {"CODEX_HOME": str(folder), "SCRIPTED_KEY": KEY}
    return {"model": "gpt-5", "env": env, "secrets": ["SCRIPTED_KEY"]}


def opencode(address: str, folder: Path) -> Fields:
    model = {
        "name": "m",
        "limit": {"context": 200_000, "output": 8_000},
        "cost": {"input": 3, "output": 15, "cache_read": 0.3},
    }
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "scripted",
        "options": {"baseURL": f"{address}/v1", "apiKey": "{env:SCRIPTED_KEY}"},
        "models": {"m": model},
    }
    settings = {"provider": {"scripted": provider}, "model": "scripted/m"}
    place = folder / "config" / "opencode"
    place.mkdir(parents=True)
    (place / "opencode.json").write_text(json.dumps({**settings, "small_model": "scripted/m"}))
    env = {
        "XDG_CONFIG_HOME": str(folder / "config"),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "SCRIPTED_KEY": KEY,
        # Its database, or several at once wait for each other's first start.
        "XDG_DATA_HOME": str(folder / "data"),
    }
    return {"model": "scripted/m", "env": env, "secrets": ["SCRIPTED_KEY"]}


def gemini(address: str, folder: Path) -> Fields:
    # It has one folder of settings, below the home; the login is chosen there once.
    place = folder / ".gemini"
    place.mkdir()
    chosen = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (place / "settings.json").write_text(json.dumps(chosen))
    env = {"HOME": str(folder), "GOOGLE_GEMINI_BASE_URL": address, "GEMINI_API_KEY": KEY}
    return {"model": "gemini-2.5-flash", "env": env, "secrets": ["GEMINI_API_KEY"]}


def qwen(address: str, folder: Path) -> Fields:
    place = folder / ".qwen"
    place.mkdir()
    chosen = {"security": {"auth": {"selectedType": "openai"}}}
    (place / "settings.json").write_text(json.dumps(chosen))
    env = {"HOME": str(folder), "OPENAI_BASE_URL": f"{address}/v1", "OPENAI_API_KEY": KEY}
    return {"model": "scripted", "env": env, "secrets": ["OPENAI_API_KEY"]}


def hermes(address: str, folder: Path) -> Fields:
    model = {"default": "m", "provider": "custom", "base_url": f"{address}/v1", "api_key": KEY}
    # It takes MCP servers from its settings alone; its preset says what to write there, once.
    headers = {"Authorization": "Bearer ${SHOPFLOOR_MCP_TOKEN}"}
    board = {"url": "${SHOPFLOOR_MCP_URL}", "headers": headers}
    settings = {"model": model, "mcp_servers": {"board": board}}
    # JSON is YAML too.
    (folder / "config.yaml").write_text(json.dumps(settings))
    return {
        "env": {"HERMES_HOME": str(folder), "OPENAI_API_KEY": KEY},
        "secrets": ["OPENAI_API_KEY"],
    }


USERS_SETTINGS: dict[str, Callable[[str, Path], Fields]] = {
    "claude": claude,
    "codex": codex,
    "opencode": opencode,
    "gemini": gemini,
    "qwen": qwen,
    "hermes": hermes,
}
