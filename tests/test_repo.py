"The repository as a whole: settings, links, layers, README, imports."
import ast, configparser, json, os, re, subprocess, sys
from dataclasses import asdict, fields
from pathlib import Path
import pytest
from visual_token_diffusion.settings import RunConfig, SettingsError, load_settings

root = Path(__file__).resolve().parent.parent
lib = root/'visual_token_diffusion'

# A module imports only from the rows above its own.
