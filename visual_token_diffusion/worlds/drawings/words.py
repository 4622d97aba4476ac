"""words"""

__all__ = ['DRAWINGS']

DRAWINGS = '''

'''
