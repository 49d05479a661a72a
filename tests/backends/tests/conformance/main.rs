//! Django's cases as they hold here, on every database; `docs/django.md` lists them.
#![allow(missing_docs, reason = "schema modules are generated")]

mod o2o;
