package main

import "testing"

func TestACommandChangesOfAPlanWhatItSays(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		i.furnish()
		set := []string{"plan", "set", "--name", "ultima", "--price-list", "standard"}
		if _, err := i.try("", set...); err == nil {
			t.Error("a new plan was made without a price for directories")
		}
		i.do("", append(set, "--includes", "directory,cards", "--directory-price", "1090", "--anchor", "15")...)
		for _, more := range [][]string{nil, {"--includes", "none"}} {
			made := i.do("", append(set, more...)...)
			if made["directory_price"] != "1090.00" || made["anchor"] != float64(15) {
				t.Errorf("got %v", made)
			}
			if includes, _ := made["capabilities"].([]any); len(includes) != 2-len(more) {
				t.Errorf("it includes %v", made["capabilities"])
			}
		}
	})
}
