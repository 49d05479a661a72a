//! What a model calls its table and columns. Diesel tells it as SQL only.

use diesel::QueryResult;
use diesel::query_builder::{QueryBuilder, QueryFragment};

use super::Dialect;
use super::catalog::TableNames;
use super::statements::{FromClause, from_clause};
use crate::model::Row;

/// What a model calls its table, and the columns that it selects; an expression is none.
pub(super) fn names<M: Row, DB: Dialect>(
    backend: &DB,
    selection: &impl QueryFragment<DB>,
) -> QueryResult<TableNames>
where
    FromClause<M>: QueryFragment<DB>,
{
    let path = path::<M, DB>(backend)?;
    let selected = selected(backend, selection, &path)?;
    let columns = selected.into_iter().flatten().collect();
    Ok(TableNames { path, columns })
}

/// What the columns that are selected of the table at this path are called, if nothing else is selected.
pub(super) fn plain_columns<DB: Dialect>(
    backend: &DB,
    selection: &impl QueryFragment<DB>,
    path: &[String],
) -> QueryResult<Option<Vec<String>>> {
    let selected = selected(backend, selection, path)?;
    Ok(selected.into_iter().collect())
}

/// The names of what is selected; what is no column of the table at this path has none.
fn selected<DB: Dialect>(
    backend: &DB,
    selection: &impl QueryFragment<DB>,
    path: &[String],
) -> QueryResult<Vec<Option<String>>> {
    let sql = sql(backend, selection)?;
    Ok(columns_of(&sql, backend.system().quote(), path))
}

fn columns_of(sql: &str, quote: char, path: &[String]) -> Vec<Option<String>> {
    let of_table = |part: &str| {
        let (name, table) = name(part, quote)?;
        (table == path).then_some(name)
    };
    parts(sql).into_iter().map(of_table).collect()
}

/// The table's name, after that of its schema if it has one.
pub(super) fn path<M: Row, DB: Dialect>(backend: &DB) -> QueryResult<Vec<String>>
where
    FromClause<M>: QueryFragment<DB>,
{
    let sql = sql(backend, &from_clause::<M>())?;
    Ok(unquote(&sql, '.', backend.system().quote()))
}

pub(crate) fn sql<DB: Dialect>(
    backend: &DB,
    statement: &(impl QueryFragment<DB> + ?Sized),
) -> QueryResult<String> {
    let mut sql = backend.query_builder();
    statement.to_sql(&mut sql, backend)?;
    Ok(sql.finish())
}

/// Takes a list of quoted names apart.
pub(super) fn unquote(sql: &str, separator: char, quote: char) -> Vec<String> {
    let mut path = vec![String::new()];
    let mut quoted = false;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            letter if letter == quote && quoted && letters.peek() == Some(&quote) => {
                letters.next();
                path.last_mut().expect("a path has a name").push(quote);
            }
            letter if letter == quote => quoted = !quoted,
            letter if !quoted && letter == separator => path.push(String::new()),
            ' ' if !quoted => {}
            letter => path.last_mut().expect("a path has a name").push(letter),
        }
    }
    path
}

/// What stands between the commas of a list, outside of names, texts and parentheses.
pub(crate) fn parts(sql: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    for (at, letter) in sql.char_indices() {
        match (quote, letter) {
            (Some(mark), _) if mark == letter => quote = None,
            (Some(_), _) => {}
            (None, '`' | '"' | '\'') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(sql[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(sql[start..].trim());
    parts
}

/// The column that this is, and the path of its table.
fn name(part: &str, quote: char) -> Option<(String, Vec<String>)> {
    let mut path = unquote(part, '.', quote);
    let twice = [quote, quote].iter().collect::<String>();
    let quoted = path
        .iter()
        .map(|it| format!("{quote}{}{quote}", it.replace(quote, &twice)));
    let is_path = quoted.collect::<Vec<_>>().join(".") == part;
    let column = path.pop().filter(|_| is_path)?;
    Some((column, path))
}

#[cfg(test)]
mod tests {
    use super::{name, parts, unquote};

    #[test]
    fn columns_are_told_from_expressions() {
        let sql = "`a`.`id`, `a`.`odd, ``name`, coalesce(`a`.`x`, 'y, z'), `a`.`x` + 1";
        let names: Vec<_> = parts(sql).into_iter().map(|part| name(part, '`')).collect();
        let column = |name: &str| Some((name.to_owned(), vec!["a".to_owned()]));
        assert_eq!(names, [column("id"), column("odd, `name"), None, None]);
        assert_eq!(name("\"a\".\"id\"", '"'), column("id"));
    }

    #[test]
    fn a_path_is_taken_apart_at_its_dots_and_not_in_its_names() {
        assert_eq!(unquote("`items`", '.', '`'), ["items"]);
        assert_eq!(
            unquote("`main`.`odd.``name`", '.', '`'),
            ["main", "odd.`name"]
        );
        assert_eq!(unquote("`a`, ` b,`", ',', '`'), ["a", " b,"]);
        assert_eq!(unquote("\"s\".\"it\"\"s\"", '.', '"'), ["s", "it\"s"]);
    }
}
