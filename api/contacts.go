package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

type newContact struct {
	Name  string `json:"name" maxLength:"200" example:"Kari Nordmann"`
	Phone string `json:"phone" doc:"A phone number; without a country code it is read in the account's region." example:"+4791234567"`

	Department string `json:"department,omitempty" maxLength:"200"`
	JobTitle   string `json:"job_title,omitempty" maxLength:"200"`
	Office     string `json:"office,omitempty" maxLength:"200"`
	Email      string `json:"email,omitempty" maxLength:"200"`
	Language   string `json:"language,omitempty" maxLength:"200" doc:"BCP 47." example:"nb"`
}

type contact struct {
	ID          string    `json:"id"`
	Source      string    `json:"source" enum:"directory,manual"`
	Tenant      string    `json:"tenant,omitempty" doc:"The directory's tenant."`
	DirectoryID string    `json:"directory_id,omitempty" doc:"The directory's own id of the person."`
	Name        string    `json:"name"`
	Phone       string    `json:"phone,omitempty" doc:"E.164. Missing when there is no number that can be texted." example:"+4791234567"`
	PhoneRule   string    `json:"phone_rule" enum:"mobile,business,manual,none" doc:"Where the number was taken from."`
	PhoneReason string    `json:"phone_reason,omitempty" doc:"Why there is no number: no_number, extension, letters, too_short, too_long, unknown_country or invalid."`
	Department  string    `json:"department,omitempty"`
	JobTitle    string    `json:"job_title,omitempty"`
	Office      string    `json:"office,omitempty"`
	Email       string    `json:"email,omitempty"`
	Language    string    `json:"language,omitempty" doc:"BCP 47, as far as the directory keeps to it."`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func (s Services) contact(c contacts.Contact) contact {
	return contact{
		ID: s.contactName(c), Source: c.Source, Tenant: c.Tenant, DirectoryID: c.DirectoryID, Name: c.Name,
		Phone: c.Phone.E164, PhoneRule: c.Phone.Rule, PhoneReason: c.Phone.Reason,
		Department: c.Department, JobTitle: c.JobTitle, Office: c.Office, Email: c.Email, Language: c.Language,
		CreatedAt: at(c.Created), UpdatedAt: at(c.Updated),
	}
}

func (s Services) contactName(c contacts.Contact) string { return s.Names.Of(secrets.Contact, c.ID) }

const contactsPath = "/v1/contacts"

type addContact struct {
	Body newContact
}

func (s Services) addContact(ctx context.Context, in *addContact) (*made[contact], error) {
	acc, err := s.Accounts.ByID(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	c, err := s.Book.Add(ctx, acc.ID, contacts.NewContact{Name: in.Body.Name, Phone: in.Body.Phone, Region: acc.Region,
		Department: in.Body.Department, JobTitle: in.Body.JobTitle, Office: in.Body.Office, Email: in.Body.Email, Language: in.Body.Language})
	if err != nil {
		return nil, err
	}
	shown := s.contact(c)
	return &made[contact]{Location: contactsPath + "/" + shown.ID, Body: shown}, nil
}

type listContacts struct {
	Page
	Group string `query:"group" doc:"Only the members of this group, by its id."`
}

func (s Services) listContacts(ctx context.Context, in *listContacts) (*answer[list[contact]], error) {
	after, err := in.from(s.Names, secrets.Contact)
	if err != nil {
		return nil, err
	}
	rows, err := s.contactsAfter(ctx, in.Group, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.contact, s.contactName), nil
}

func (s Services) contactsAfter(ctx context.Context, group string, after int64, limit int) ([]contacts.Contact, error) {
	if group == "" {
		return s.Book.Contacts(ctx, accountOf(ctx), after, limit)
	}
	g, err := s.findGroup(ctx, group)
	if err != nil {
		return nil, err
	}
	return s.Book.ContactsInGroup(ctx, accountOf(ctx), g.ID, after, limit)
}

type oneContact struct {
	ID string `path:"id" doc:"con_..."`
}

func (s Services) readContact(ctx context.Context, in *oneContact) (*answer[contact], error) {
	id, err := s.Names.ID(secrets.Contact, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.Book.Contact(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[contact]{Body: s.contact(c)}, nil
}

type newContactFields struct {
	Name       *string `json:"name,omitempty" maxLength:"200"`
	Phone      *string `json:"phone,omitempty" doc:"Without a country code it is read in the account's region."`
	Department *string `json:"department,omitempty" maxLength:"200"`
	JobTitle   *string `json:"job_title,omitempty" maxLength:"200"`
	Office     *string `json:"office,omitempty" maxLength:"200"`
	Email      *string `json:"email,omitempty" maxLength:"200"`
	Language   *string `json:"language,omitempty" maxLength:"200" doc:"BCP 47."`
}

type editContact struct {
	ID   string `path:"id" doc:"con_..."`
	Body newContactFields
}

func (s Services) editContact(ctx context.Context, in *editContact) (*answer[contact], error) {
	id, err := s.Names.ID(secrets.Contact, in.ID)
	if err != nil {
		return nil, err
	}
	acc, err := s.Accounts.ByID(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	b := in.Body
	c, err := s.Book.EditContact(ctx, acc.ID, id, contacts.Changes{Name: b.Name, Phone: b.Phone, Department: b.Department,
		JobTitle: b.JobTitle, Office: b.Office, Email: b.Email, Language: b.Language, Region: acc.Region})
	if err != nil {
		return nil, err
	}
	return &answer[contact]{Body: s.contact(c)}, nil
}

type removal struct {
	ID     string `json:"id"`
	Result string `json:"result" enum:"deleted,hidden" doc:"A contact kept by hand is deleted. One that its directory still has is hidden until the next sync, which brings it back: delete it in the directory."`
}

func (s Services) removeContact(ctx context.Context, in *oneContact) (*answer[removal], error) {
	id, err := s.Names.ID(secrets.Contact, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.Book.Contact(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	if err := s.Book.Remove(ctx, accountOf(ctx), id); err != nil {
		return nil, err
	}
	out := removal{ID: in.ID, Result: "deleted"}
	if c.Source == contacts.FromDirectory {
		out.Result = "hidden"
	}
	return &answer[removal]{Body: out}, nil
}
