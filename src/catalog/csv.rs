//! Reads the comma-separated tables: one header line, then one record per line, quotes where a cell holds commas.

use std::borrow::Cow;
use std::str::FromStr;

use super::CatalogError;

/// One record, asked by column name. An empty cell means "not known".
pub(super) struct CsvRow<'a> {
    table: &'a str,
    line: usize,
    header: &'a [Cow<'a, str>],
    cells: Vec<Cow<'a, str>>,
}

/// Reads every record of a table.
pub(super) fn read<T>(
    table: &str,
    text: &str,
    mut each: impl FnMut(&CsvRow<'_>) -> Result<T, CatalogError>,
) -> Result<Vec<T>, CatalogError> {
    let mut lines = text.lines();
    let header = lines.next().map(cells).unwrap_or_default();
    let mut records = Vec::new();
    for (index, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let row = CsvRow { table, line: index + 2, header: &header, cells: cells(line) };
        if row.cells.len() != header.len() {
            return Err(row.error(format!("{} cells under {} columns", row.cells.len(), header.len())));
        }
        records.push(each(&row)?);
    }
    Ok(records)
}

impl CsvRow<'_> {
    pub(super) fn error(&self, problem: impl Into<String>) -> CatalogError {
        CatalogError::new(self.table, Some(self.line), problem)
    }

    /// The cell as it is, perhaps empty.
    pub(super) fn cell(&self, column: &str) -> Result<&str, CatalogError> {
        let index = self.header.iter().position(|name| name == column);
        index.map(|index| &*self.cells[index]).ok_or_else(|| self.error(format!("there is no column {column}")))
    }

    pub(super) fn text(&self, column: &str) -> Result<String, CatalogError> {
        match self.cell(column)? {
            "" => Err(self.error(format!("{column} is empty"))),
            text => Ok(text.to_owned()),
        }
    }

    pub(super) fn known_text(&self, column: &str) -> Result<Option<String>, CatalogError> {
        Ok(Some(self.cell(column)?).filter(|text| !text.is_empty()).map(str::to_owned))
    }

    pub(super) fn number<T: FromStr>(&self, column: &str) -> Result<T, CatalogError> {
        self.known(column)?.ok_or_else(|| self.error(format!("{column} is empty")))
    }

    pub(super) fn known<T: FromStr>(&self, column: &str) -> Result<Option<T>, CatalogError> {
        match self.cell(column)? {
            "" => Ok(None),
            text => match text.parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(self.error(format!("{column} cannot be {text:?}"))),
            },
        }
    }

    /// A 0/1 cell.
    pub(super) fn flag(&self, column: &str) -> Result<bool, CatalogError> {
        Ok(self.known_flag(column)?.unwrap_or(false))
    }

    pub(super) fn known_flag(&self, column: &str) -> Result<Option<bool>, CatalogError> {
        match self.cell(column)? {
            "" => Ok(None),
            "0" => Ok(Some(false)),
            "1" => Ok(Some(true)),
            other => Err(self.error(format!("{column} cannot be {other:?}"))),
        }
    }

    /// The parts of a cell between semicolons.
    pub(super) fn list(&self, column: &str) -> Result<impl Iterator<Item = &str>, CatalogError> {
        Ok(self.cell(column)?.split(';').filter(|part| !part.is_empty()))
    }
}

fn cells(line: &str) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(',').map(Cow::Borrowed).collect();
    }
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let cell = cells.last_mut().expect("there is always a cell");
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cell.push(other),
        }
    }
    cells.into_iter().map(Cow::Owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_keep_commas_and_doubled_quotes() {
        assert_eq!(cells(r#"a,"b, ""c""",,d"#), ["a", r#"b, "c""#, "", "d"]);
    }

    #[test]
    fn a_bad_cell_is_named_with_table_and_line() {
        let read = |text: &str| read("t.csv", text, |row| row.number::<u32>("b")).map_err(|error| error.to_string());
        assert_eq!(read("a,b\nx,1\n\ny,2\n"), Ok(vec![1, 2]));
        assert_eq!(read("a,b\nx,1\ny,two\n"), Err("t.csv:3: b cannot be \"two\"".to_owned()));
        assert_eq!(read("a,b\nx\n"), Err("t.csv:2: 1 cells under 2 columns".to_owned()));
        assert_eq!(read("a,c\nx,1\n"), Err("t.csv:2: there is no column b".to_owned()));
    }
}
