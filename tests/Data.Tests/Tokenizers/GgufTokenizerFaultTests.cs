using SafeLlama.Common;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

/// <summary>Damaged tokenizer keys of GGUF files: one clear line, or a tokenizer that encodes.</summary>
[Category("Fault")]
public sealed class GgufTokenizerFaultTests
{
    [TestCase("sp")]
    [TestCase("llama3")]
    public void Damaged_keys_give_one_line_or_a_tokenizer(string name)
    {
        var tokenizer = TokenizerLoader.Load(Path.Combine(TestFiles.Reference, "tokenizer", name));
        var whole = GgufTokenizerKeys.Of(
            tokenizer, tokenizer.VocabularySize + 3, new ModelTokens(null, [], null, null)).Keys;
        var path = Path.Combine(TestFiles.NewFolder(), "keys.gguf");
        var (random, loaded) = (new Random(11), 0);
        for (var i = 0; i < 500; i++)
        {
            GgufWriter.Write(path, Damage(whole, random), []);
            try
            {
                Assert.That(TokenizerLoader.Load(path).Encode("Hello, world 123"), Is.Not.Empty);
                loaded++;
            }
            catch (SafeLlamaException e)
            {
                Assert.That(e.Message, Does.Not.Contain("\n"), $"damage {i}");
                Assert.That(e.Code, Is.EqualTo(ExitCode.InvalidData), e.Message);
            }
        }

        Assert.That(loaded, Is.InRange(20, 480), "some damage is none, some is");
    }

    private static List<(string Key, object Value)> Damage(
        IReadOnlyList<(string Key, object Value)> whole, Random random)
    {
        var keys = whole.ToList();
        var at = random.Next(keys.Count);
        var (key, value) = keys[at];
        switch (random.Next(4))
        {
            case 0:
                keys.RemoveAt(at);
                break;
            case 1:
                keys[at] = (key, random.Next(3) switch { 0 => "text", 1 => (object)7u, _ => true });
                break;
            case 2:
                keys[at] = (key, Shorter(value, random));
                break;
            default:
                keys[at] = (key, Changed(value, random));
                break;
        }

        return keys;
    }

    private static object Shorter(object value, Random random) => value switch
    {
        string[] texts => texts[..random.Next(texts.Length)],
        float[] numbers => numbers[..random.Next(numbers.Length)],
        int[] numbers => numbers[..random.Next(numbers.Length)],
        string text => text[..random.Next(text.Length)],
        _ => value,
    };

    private static object Changed(object value, Random random)
    {
        switch (value)
        {
            case string[] texts:
                var changed = (string[])texts.Clone();
                changed[random.Next(changed.Length)] = random.Next(3) switch { 0 => "", 1 => "\n 😀", _ => changed[0] };
                return changed;
            case float[] numbers:
                var scores = (float[])numbers.Clone();
                scores[random.Next(scores.Length)] = random.Next(2) == 0 ? float.NaN : 1e30f;
                return scores;
            case int[] numbers:
                var types = (int[])numbers.Clone();
                types[random.Next(types.Length)] = random.Next(-2, 9);
                return types;
            case uint:
                return random.Next(2) == 0 ? uint.MaxValue : (uint)random.Next();
            default:
                return value is bool flag ? !flag : value;
        }
    }
}
