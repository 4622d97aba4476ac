"""moods"""

__all__ = ['DRAWINGS']

DRAWINGS = '''

'''
