"""places"""

__all__ = ['DRAWINGS']

DRAWINGS = '''

'''
