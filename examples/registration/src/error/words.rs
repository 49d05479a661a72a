use diesel_hooks::error::Blocked;

/// What does not let something go, in words for people.
pub fn protectors(why: &Blocked) -> String {
    let rows = why.blockers().iter().flat_map(|blocker| {
        let name = in_words(blocker.model);
        blocker.keys.iter().map(move |key| format!("{name} {key}"))
    });
    let more: usize = why.blockers().iter().map(|it| it.more).sum();
    let more = (more > 0).then(|| format!("{more} more"));
    rows.chain(more).collect::<Vec<_>>().join(", ")
}

/// `EmployeeProfile` is `employee profile`.
pub fn in_words(model: &str) -> String {
    let mut words = String::new();
    for letter in model.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
