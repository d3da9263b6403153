"""The components a panel may name, as Qt widgets. Knows trees and fields, never a vendor."""
