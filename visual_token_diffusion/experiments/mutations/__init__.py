"Faults planted in the library, to see whether its tests notice."
