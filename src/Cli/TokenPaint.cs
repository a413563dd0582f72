using System.Text;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli;

/// <summary>A row's tokens as running text, with learned and masked tokens marked.</summary>
internal static class TokenPaint
{
    private const string Learned = "\u001b[1;32m";
    private const string Masked = "\u001b[2m";
    private const string Plain = "\u001b[0m";

    /// <param name="pieces">The row.</param>
    /// <param name="color">Green and faint where true; brackets around what is learned where false.</param>
    public static string Paint(IReadOnlyList<TokenPiece> pieces, bool color)
    {
        var painted = new StringBuilder();
        foreach (var (text, trained) in ExampleView.Spans(pieces))
        {
            var (before, after) = (color, trained) switch
            {
                (true, true) => (Learned, Plain),
                (true, false) => (Masked, Plain),
                (false, true) => ("⟦", "⟧"),
                (false, false) => ("", ""),
            };
            painted.Append(before).Append(SafeText.ForTerminal(text)).Append(after);
        }

        return painted.ToString();
    }
}
