package dataset

const croissantName = "croissant.json"
