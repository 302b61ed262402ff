package dataset

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
)

// RecordRows are the rows of an Arrow record in the form in which Rows reads them back from a dataset, so that the two
// can be compared.
func RecordRows(rec arrow.Record) ([]Row, error) {
	rows := make([]Row, rec.NumRows())
	for i := range rows {
		rows[i] = make(Row, rec.NumCols())
	}
	for c, f := range rec.Schema().Fields() {
		for i := range rows {
			v, err := arrowValue(rec.Column(c), i)
			if err != nil {
				return nil, fmt.Errorf("dataset: column %s: %w", f.Name, err)
			}
			rows[i][f.Name] = v
		}
	}
	return rows, nil
}
