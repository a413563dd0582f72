using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Divides a text into the words that merges stay within, by regular expressions.</summary>
internal sealed class WordSplitter
{
    /// <summary>
    /// LLaMA 3's words: contractions, letters with one mark before, up to three digits, marks, white space.
    /// </summary>
    public const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        + @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>GPT-2's words, the default of byte-level files that name no expression.</summary>
    public const string Gpt2 =
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Every digit for itself.</summary>
    public const string SingleDigits = @"\p{N}";

    private readonly SplitRule[] _rules;

    /// <param name="rules">
    /// Applied one after another, each within the words of the one before; none: no division.
    /// </param>
    /// <param name="file">The file they come from, for errors.</param>
    /// <exception cref="SafeLlamaException">
    /// A pattern is no regular expression, or not one that is computed.
    /// </exception>
    public WordSplitter(IEnumerable<SplitRule> rules, string file)
    {
        _rules = [.. rules];
        foreach (var rule in _rules)
        {
            try
            {
                rule.Compile();
            }
            catch (Exception e) when (e is FormatException or ArgumentException)
            {
                var fault = e is FormatException ? UnicodeText.Shown(e.Message) : "it is no regular expression";
                throw SafeLlamaException.InvalidData(
                    $"{file}: the pre_tokenizer's pattern \"{UnicodeText.Shown(rule.Pattern)}\" cannot be computed: "
                    + $"{fault}. Use a tokenizer whose pattern is a LLaMA's.", e);
            }
        }
    }

    /// <summary>The rules, a line each, for the hash.</summary>
    public IEnumerable<string> Patterns => _rules.Select(rule =>
        rule is { Behavior: SplitBehavior.Isolated, Invert: false }
            ? rule.Pattern
            : $"{rule.Behavior} invert {rule.Invert} {rule.Pattern}");

    /// <summary>The words in order; together they are the text, unless a rule removes its matches.</summary>
    public List<(int Start, int Length)> Split(string text)
    {
        var words = new List<(int Start, int Length)>();
        if (text.Length > 0)
        {
            words.Add((0, text.Length));
        }

        foreach (var rule in _rules)
        {
            words = rule.Split(text, words);
        }

        return words;
    }
}
