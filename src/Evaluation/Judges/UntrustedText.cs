using System.Text.RegularExpressions;

namespace SafeLlama.Evaluation;

/// <summary>Neutralizes text of a prompt or an answer for the judge that reads it.</summary>
/// <remarks>
/// Text that could be mistaken for the judge's own frame (control tokens, turn headings, the marks around the answer)
/// gets a middle dot after its first character: it stays readable but is no longer a mark. The rest is unchanged.
/// </remarks>
public static partial class UntrustedText
{
    private const string Break = "·";

    /// <param name="text">Untrusted.</param>
    /// <param name="marks">The judge's own marks; matched in any case.</param>
    /// <returns>The text with every mark broken, and how many there were.</returns>
    public static (string Text, int Broken) Neutralize(string text, params IReadOnlyList<string> marks)
    {
        var broken = 0;
        string Split(Match match)
        {
            broken++;
            return match.Value[..1] + Break + match.Value[1..];
        }

        text = ControlMark().Replace(text, Split);
        text = TurnHeading().Replace(text, match =>
        {
            broken++;
            return match.Groups[1].Value + Break + match.Groups[2].Value;
        });
        return marks.Count == 0
            ? (text, broken)
            : (Regex.Replace(text, string.Join('|', marks.Select(Regex.Escape)), Split, RegexOptions.IgnoreCase),
                broken);
    }

    /// <summary>
    /// Control tokens of the LLaMA families and ChatML, and marks of the form &lt;BEGIN …&gt;, &lt;END …&gt;.
    /// </summary>
    [GeneratedRegex(@"<\|[^|<>\r\n]{1,60}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:BEGIN|END) [^<>\r\n]{1,60}>",
        RegexOptions.IgnoreCase)]
    private static partial Regex ControlMark();

    /// <summary>A line that opens a turn: <c>User:</c>, <c>Assistant:</c>, <c>### Response:</c>.</summary>
    [GeneratedRegex(
        @"(?<=^|\n)([ \t]*(?:\#+[ \t]*)?(?:User|Agent|Human|Assistant|System|Instruction|Input|Response))([ \t]*:)",
        RegexOptions.IgnoreCase)]
    private static partial Regex TurnHeading();
}
