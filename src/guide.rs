//! The pages of the guide, whose code blocks are tests.

#[doc = include_str!("../docs/README.md")]
struct Guide;
#[doc = include_str!("../docs/signals.md")]
struct Signals;
#[doc = include_str!("../docs/receivers.md")]
struct Receivers;
#[doc = include_str!("../docs/many-models.md")]
struct ManyModels;
#[doc = include_str!("../docs/find-or-create.md")]
struct FindOrCreate;
#[doc = include_str!("../docs/relations.md")]
struct Relations;
#[doc = include_str!("../docs/on-delete.md")]
struct OnDelete;
#[doc = include_str!("../docs/large-deletes.md")]
struct LargeDeletes;
#[doc = include_str!("../docs/cascades-by-hand.md")]
struct CascadesByHand;
#[doc = include_str!("../docs/backfilling.md")]
struct Backfilling;
#[doc = include_str!("../docs/own-signals.md")]
struct OwnSignals;
#[doc = include_str!("../docs/after-commit.md")]
struct AfterCommit;
#[doc = include_str!("../docs/conflicts.md")]
struct Conflicts;
#[doc = include_str!("../docs/timestamps.md")]
struct Timestamps;
#[doc = include_str!("../docs/testing.md")]
struct Testing;
#[doc = include_str!("../docs/when-not.md")]
struct WhenNot;
#[doc = include_str!("../docs/looking.md")]
struct Looking;
#[doc = include_str!("../docs/registration.md")]
struct Registration;
#[doc = include_str!("../docs/django.md")]
struct Django;
#[doc = include_str!("../docs/databases.md")]
struct Databases;
#[doc = include_str!("../docs/several-databases.md")]
struct SeveralDatabases;
#[doc = include_str!("../docs/performance.md")]
struct Performance;
