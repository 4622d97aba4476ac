"""moves"""

__all__ = ['DRAWINGS']

DRAWINGS = '''

'''
