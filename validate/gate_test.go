package validate

import (
	"fmt"
	"reflect"
	"testing"
)

var gates = []Gate[int]{
	{Code: "N_NEGATIVE", About: "at least 0", Hard: true, Fails: func(n int) bool { return n < 0 }},
	{Code: "N_ODD", About: "even", Fails: func(n int) bool { return n%2 != 0 }},
	{Code: "N_SMALL", About: "at least -10", Hard: true, Fails: func(n int) bool { return n < -10 }},
}

func TestApply(t *testing.T) {
	for _, tc := range []struct {
		n     int
		want  Verdict
		valid bool
	}{
		{4, Verdict{}, true},
		{5, Verdict{Warnings: []string{"N_ODD"}}, true},
		{-4, Verdict{Violations: []string{"N_NEGATIVE"}}, false},
		{-11, Verdict{Violations: []string{"N_NEGATIVE", "N_SMALL"}, Warnings: []string{"N_ODD"}}, false},
	} {
		got := Apply(gates, tc.n)
		if !reflect.DeepEqual(got, tc.want) || got.Valid() != tc.valid {
			t.Errorf("%d: %+v, valid %v; want %+v, %v", tc.n, got, got.Valid(), tc.want, tc.valid)
		}
	}
}

func TestTally(t *testing.T) {
	var tally Tally
	for _, n := range []int{4, 5, -4, -11} {
		tally.Add(Apply(gates, n))
	}
	want := Tally{Rows: 4, Valid: 2, ByCode: map[string]int{"N_NEGATIVE": 2, "N_SMALL": 1, "N_ODD": 2}}
	if !reflect.DeepEqual(tally, want) {
		t.Errorf("got %+v, want %+v", tally, want)
	}
}

func ExampleApply() {
	v := Apply(gates, -3)
	fmt.Println(v.Valid(), v.Violations, v.Warnings)
	// Output: false [N_NEGATIVE] [N_ODD]
}
