namespace SafeLlama.Data;

/// <summary>Characters as Python counts them: what is white space, and what is printed as it is.</summary>
internal static class PythonText
{
    /// <summary>Python's <c>str.isspace</c>: Unicode white space and the four information separators.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    /// <summary>True for a text that is not empty and all white space.</summary>
    public static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!IsSpace(c))
            {
                return false;
            }
        }

        return text.Length > 0;
    }

    public static string TrimEnd(string text) => text[..EndWithoutSpace(text, text.Length)];

    /// <summary>The end of the text before <paramref name="end"/>, white space left out.</summary>
    public static int EndWithoutSpace(string text, int end)
    {
        while (end > 0 && IsSpace(text[end - 1]))
        {
            end--;
        }

        return end;
    }

    /// <summary>Orders texts by code points, as Python does; UTF-16 order differs beyond U+FFFF.</summary>
    public static int Compare(string a, string b)
    {
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            if (a[i] != b[i])
            {
                var (first, second) = (char.IsSurrogate(a[i]), char.IsSurrogate(b[i]));
                return first == second ? a[i] - b[i] : first ? 1 : -1;
            }
        }

        return a.Length - b.Length;
    }
}
