package graph

import (
	"encoding/json"

	"github.com/varsel/varsel/directory"
)

// readPage keeps null and absent properties apart.
func readPage(raw []byte) (directory.Page, error) {
	var p struct {
		Value []json.RawMessage `json:"value"`
		Next  string            `json:"@odata.nextLink"`
		Delta string            `json:"@odata.deltaLink"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return directory.Page{}, errNotAPage
	}
	page := directory.Page{Next: p.Next, Delta: p.Delta}
	for _, one := range p.Value {
		it, err := readItem(one)
		if err != nil {
			return directory.Page{}, err
		}
		if it.ID != "" { // Graph sends a null now and then
			page.Items = append(page.Items, it)
		}
	}
	return page, nil
}

func readItem(raw []byte) (directory.Item, error) {
	var head struct {
		ID      string          `json:"id"`
		Removed json.RawMessage `json:"@removed"`
		Members []struct {
			Type    string          `json:"@odata.type"`
			ID      string          `json:"id"`
			Removed json.RawMessage `json:"@removed"`
		} `json:"members@delta"`
	}
	it := directory.Item{}
	if json.Unmarshal(raw, &head) != nil || json.Unmarshal(raw, &it.Fields) != nil {
		return it, errNotAPage
	}
	it.ID, it.Removed = head.ID, isSet(head.Removed)
	for _, m := range head.Members {
		if m.ID != "" && personOrGroup(m.Type) {
			it.Members = append(it.Members, directory.Member{ID: m.ID, Removed: isSet(m.Removed)})
		}
	}
	return it, nil
}

func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// personOrGroup passes over devices, service principals and contacts.
func personOrGroup(odataType string) bool {
	switch odataType {
	case "", "#microsoft.graph.user", "#microsoft.graph.group":
		return true
	}
	return false
}
