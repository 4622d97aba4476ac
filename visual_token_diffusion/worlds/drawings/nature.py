"""nature"""

__all__ = ['DRAWINGS']

DRAWINGS = '''

'''
