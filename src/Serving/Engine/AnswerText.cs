using System.Text;
using SafeLlama.Data;

namespace SafeLlama.Serving;

/// <summary>
/// An answer's text as its tokens come: stop texts end it, and what may still become one is held back.
/// </summary>
/// <param name="decoder">Gives the text of the tokens.</param>
/// <param name="stops">Texts that end the answer, none empty.</param>
/// <param name="trims">Whether white space at both ends is cut off.</param>
internal sealed class AnswerText(IIncrementalDecoder decoder, IReadOnlyList<string> stops, bool trims)
{
    private readonly StringBuilder _space = new();
    private string _held = "";
    private bool _begun;

    /// <summary>Whether a stop text was met.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Characters so far, with those that are held back.</summary>
    public int Length { get; private set; }

    /// <summary>The text that has become certain with this token.</summary>
    public string Append(int token) => Take(decoder.Append(token), isLast: false);

    /// <summary>The text that is left at the end.</summary>
    public string Finish() => IsStopped ? "" : Take(decoder.Finish(), isLast: true);

    private string Take(string piece, bool isLast)
    {
        _held += piece;
        Length += piece.Length;
        var end = stops.Select(stop => _held.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0)
            .DefaultIfEmpty(-1).Min();
        IsStopped = end >= 0;
        var certain = IsStopped ? end : isLast ? _held.Length : _held.Length - Open();
        var text = _held[..certain];
        _held = IsStopped ? "" : _held[certain..];
        return trims ? Trimmed(text) : text;
    }

    /// <summary>How many characters at the end may be the beginning of a stop text.</summary>
    private int Open()
    {
        var open = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, _held.Length); length > open; length--)
            {
                if (_held.AsSpan(_held.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    open = length;
                }
            }
        }

        return open;
    }

    /// <summary>White space is given once something follows it, and never at the beginning.</summary>
    private string Trimmed(string text)
    {
        var solid = text.TrimEnd();
        if (solid.Length == 0)
        {
            _space.Append(_begun ? text : "");
            return "";
        }

        var result = _begun ? _space + solid : solid.TrimStart();
        _begun = true;
        _space.Clear().Append(text.AsSpan(solid.Length));
        return result;
    }
}
