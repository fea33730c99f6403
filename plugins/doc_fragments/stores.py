# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list of off-site places, and how each is reached."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  stores:
    description:
      - The stores, each with the options that M(dbops.recovery.backup_download) has for one.
    type: list
    elements: dict
    default: []
    suboptions:
      store:
        description:
          - The off-site place, as a URL.
          - V(s3://BUCKET) or V(s3://BUCKET/FOLDER) for AWS and every service that speaks S3.
          - V(file:///ABSOLUTE/DIRECTORY) for a mounted disk or network share. The directory must exist.
        type: str
        required: true
      is_offsite:
        description:
          - Whether a fire here would spare it. By default a bucket is off-site and a directory is not.
          - It counts in M(dbops.recovery.backup_status). The other modules take it too, so that one list does for all.
        type: bool
      provider:
        description:
          - Whose service it is, so that what it needs and what it refuses is known. By default V(aws), and V(other)
            with O(stores[].endpoint_url).
          - With V(backblaze), V(digitalocean) and V(wasabi) the address follows from O(stores[].region).
        type: str
        choices: [aws, backblaze, ceph, cloudflare, digitalocean, minio, other, seaweedfs, wasabi]
      access_key:
        description:
          - The access key. Without it the credentials are looked for as every program of AWS does, in the
            environment, in its configuration files and in the host's role.
        type: str
      secret_key:
        description:
          - The secret key.
        type: str
      session_token:
        description:
          - The token of temporary credentials.
        type: str
      profile:
        description:
          - The profile of C(~/.aws/config) to take them from.
        type: str
      region:
        description:
          - The region of the bucket.
        type: str
      endpoint_url:
        description:
          - The address of the service, where it is not AWS.
        type: str
      aws_ca_bundle:
        description:
          - The certificate of the authority that the service's certificate is checked against.
        type: path
      validate_certs:
        description:
          - Whether the service's certificate is checked at all.
        type: bool
        default: true
      sse_customer_key:
        description:
          - A key of your own that the service encrypts with and forgets (SSE-C), 32 bytes in Base64. Without it
            nobody can read the backups back, the service included. Keep it where the backups are not.
        type: str
      retries:
        description:
          - How often a request is made again after the service failed or the connection was lost, waiting longer each
            time.
        type: int
        default: 5
"""
