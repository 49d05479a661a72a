//! Names as people read them.

/// A type's name without the modules in it: `PostSave<dyn Activity>`.
pub(crate) fn short(type_name: &str) -> String {
    let mut short = String::with_capacity(type_name.len());
    let mut rest = type_name;
    while let Some(end) = rest.find(|it: char| !it.is_alphanumeric() && it != '_') {
        let (name, after) = rest.split_at(end);
        if let Some(inner) = after.strip_prefix("::") {
            rest = inner;
            continue;
        }
        let width = after.chars().next().map_or(0, char::len_utf8);
        let (mark, after) = after.split_at(width);
        short += name;
        short += mark;
        rest = after;
    }
    short + rest
}

/// Where something stands.
pub(super) fn place(file: &str, line: u32) -> String {
    format!("{file}:{line}")
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn modules_are_left_out_wherever_a_path_stands() {
        for (name, expected) in [
            ("Plain", "Plain"),
            ("app::Plain", "Plain"),
            (
                "core::signal::PostSave<app::Employee>",
                "PostSave<Employee>",
            ),
            (
                "core::PostSave<dyn app::Activity>",
                "PostSave<dyn Activity>",
            ),
            (
                "app::Sent<(i32, alloc::string::String), [u8; 4]>",
                "Sent<(i32, String), [u8; 4]>",
            ),
            (
                "app::main::{{closure}}::Sent<&'static str>",
                "{{closure}}Sent<&'static str>",
            ),
        ] {
            assert_eq!(short(name), expected, "{name}");
        }
    }
}
