using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SafeLlama.Evaluation;

/// <summary>An answer as a reader sees it, without invisible characters and markup.</summary>
internal static partial class AnswerText
{
    private const string Apostrophes = "’‘‛ʼʻʹ′`´";
    private const string Quotes = "“”„‟«»″";

    /// <summary>Letters that are invisible: Hangul fillers, the Mongolian separator, the braille blank.</summary>
    private const string Blanks = "\u115f\u1160\u3164\uffa0\u180e\u2800\u034f";

    /// <summary>
    /// Lower case, without invisible characters, emphasis, tags and a leading role; curly and
    /// straight quotes, full-width letters, no-break and plain spaces and hyphens alike.
    /// </summary>
    public static string Fold(string answer)
    {
        var text = new StringBuilder(answer.Length);
        foreach (var rune in answer.Replace("```", "", StringComparison.Ordinal).EnumerateRunes())
        {
            Append(text, rune);
        }

        var folded = text.ToString().ToLowerInvariant();
        folded = Emphasis().Replace(Tag().Replace(folded, ""), "");
        return Start(Spaces().Replace(folded, " "));
    }

    /// <summary>
    /// The text after a model's reasoning, which ends at the first <c>&lt;/think&gt;</c>; empty where the reasoning
    /// never ends. Prompts may open the reasoning, so the opening mark may be missing.
    /// </summary>
    public static string AfterReasoning(string answer)
    {
        var end = ReasoningEnd().Match(answer);
        return end.Success ? answer[(end.Index + end.Length)..] : ReasoningStart().IsMatch(answer) ? "" : answer;
    }

    /// <summary>The text from its first word on: after list marks, headings, emoji and a role.</summary>
    public static string Start(string folded)
    {
        var text = Role().Replace(folded[First(folded)..].TrimEnd(), "", 1);
        text = text[First(text)..];

        // Quotes around the whole answer are layout; quotes around its first words are someone's speech.
        return text.Length > 1 && text[0] == '"' && text.IndexOf('"', 1) is var end
            && (end < 0 || end == text.Length - 1)
            ? text[1..].TrimEnd('"').TrimStart()
            : text;
    }

    /// <summary>The text without quotations in double quotes, which are not the answer's own words.</summary>
    public static string WithoutQuoted(string folded) => Quoted().Replace(folded, "\"\"");

    private static void Append(StringBuilder text, Rune rune)
    {
        var c = rune.IsBmp ? (char)rune.Value : '\0';
        var category = Rune.GetUnicodeCategory(rune);
        if (c == '\n' || c == '\t')
        {
            text.Append(c);
        }
        else if (category is UnicodeCategory.Format or UnicodeCategory.Control || Blanks.Contains(c)
            || c is >= '\ufe00' and <= '\ufe0f')
        {
            // Invisible.
        }
        else if (category == UnicodeCategory.SpaceSeparator)
        {
            text.Append(' ');
        }
        else
        {
            _ = c is >= '\uff01' and <= '\uff5e' ? text.Append((char)(c - 0xfee0))
                : Apostrophes.Contains(c) ? text.Append('\'')
                : Quotes.Contains(c) ? text.Append('"')
                : category == UnicodeCategory.DashPunctuation && c is not ('—' or '–' or '―') ? text.Append('-')
                : text.Append(rune.ToString());
        }
    }

    private static int First(string text)
    {
        var at = 0;
        while (at < text.Length && !char.IsLetterOrDigit(text[at]) && text[at] is not ('"' or '\''))
        {
            at++;
        }

        return at;
    }

    [GeneratedRegex(@"[*_~]{2,}|(?<=\w)[*_]+(?!\w)|(?<!\w)[*_]+(?=\w)")]
    private static partial Regex Emphasis();

    [GeneratedRegex(@"</?[a-z][^<>\n]{0,40}>|<\|[^|<>\n]{1,40}\|>|\[/?inst\]")]
    private static partial Regex Tag();

    [GeneratedRegex(@"[ \t]+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"^(?:\d{1,2}[.)]\s+)?"
        + @"(?:(?:ai )?(?:assistant|bot|model|chatbot|response|answer|reply|output|ai)\s*:\s*"
        + @"|assistant ?(?:\n\s*|$)|model ?\n\s*)*")]
    private static partial Regex Role();

    [GeneratedRegex(@"^\s*<think(?:ing)?>", RegexOptions.IgnoreCase)]
    private static partial Regex ReasoningStart();

    [GeneratedRegex("</think(?:ing)?>", RegexOptions.IgnoreCase)]
    private static partial Regex ReasoningEnd();

    [GeneratedRegex("\"[^\"\n]{0,400}\"")]
    private static partial Regex Quoted();
}
