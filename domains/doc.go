package domains // replaced by doc.go text
