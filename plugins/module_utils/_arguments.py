# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs that several modules share, in step with the documentation fragments of the same names.

Private to the collection.
"""

from __future__ import annotations


def connection_options() -> dict:
    """Return the options that say how to reach the server (fragment "connection")."""
    return {
        "login_user": {"type": "str"},
        "login_password": {"type": "str", "no_log": True},
        "login_host": {"type": "str"},
        "login_port": {"type": "int"},
        "login_unix_socket": {"type": "path"},
        "config_file": {"type": "path", "default": "~/.my.cnf"},
        "ca_cert": {"type": "path", "aliases": ["ssl_ca"]},
        "client_cert": {"type": "path", "aliases": ["ssl_cert"]},
        "client_key": {"type": "path", "aliases": ["ssl_key"]},
        "check_hostname": {"type": "bool"},
        "connect_timeout": {"type": "int", "default": 30},
    }


def limit_options() -> dict:
    """Return the limits that a backup is held against (fragment "limits")."""
    return {
        "min_size": {"type": "str"},
        "max_size": {"type": "str"},
        "max_age": {"type": "str"},
    }


def query_options() -> dict:
    """Return the option for the user's own queries (fragment "queries")."""
    return {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "sql": {"type": "str", "required": True},
            "name": {"type": "str"},
            "rows": {"type": "list", "elements": "list"},
            "min": {"type": "float"},
            "max": {"type": "float"},
        },
    }


def store_options(required: bool = True) -> dict:
    """Return the options that say where a store is and how to reach it (fragment "store")."""
    return {
        "store": {"type": "str", "required": required},
        "provider": {
            "type": "str",
            "choices": [
                "aws",
                "backblaze",
                "ceph",
                "cloudflare",
                "digitalocean",
                "minio",
                "other",
                "seaweedfs",
                "wasabi",
            ],
        },
        "access_key": {"type": "str", "no_log": False},
        "secret_key": {"type": "str", "no_log": True},
        "session_token": {"type": "str", "no_log": True},
        "profile": {"type": "str"},
        "region": {"type": "str"},
        "endpoint_url": {"type": "str"},
        "aws_ca_bundle": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "sse_customer_key": {"type": "str", "no_log": True},
        "retries": {"type": "int", "default": 5},
    }


def sending_options() -> dict:
    """Return the options that say how backups are sent to a store, and what becomes of them there."""
    return {
        "threads": {"type": "int", "default": 4},
        "part_size": {"type": "str", "default": "16M"},
        "bandwidth": {"type": "str"},
        "storage_class": {"type": "str"},
        "encryption": {"type": "str", "choices": ["AES256", "aws:kms"]},
        "kms_key_id": {"type": "str"},
        "object_lock_mode": {"type": "str", "choices": ["governance", "compliance"]},
        "object_lock_days": {"type": "int"},
        "metadata": {"type": "dict"},
    }


def store_list() -> dict:
    """Return the option for a list of stores (fragment "stores")."""
    return {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {**store_options(), "is_offsite": {"type": "bool"}},
        "required_together": [("access_key", "secret_key")],
    }


def policy_options() -> dict:
    """Return the options that say what retention keeps."""
    return {
        "keep_daily_days": {"type": "int", "default": 30},
        "keep_weekly": {"type": "int", "default": 12},
        "keep_monthly": {"type": "int", "default": 12},
        "keep_last": {"type": "int", "default": 0},
        "keep_within": {"type": "str"},
        "weekly_on": {
            "type": "str",
            "choices": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
            "default": "sunday",
        },
        "monthly_on": {"type": "int", "default": 1},
        "timezone": {"type": "str", "default": "UTC"},
        "max_total_size": {"type": "str"},
        "min_age": {"type": "str", "default": "1h"},
    }
