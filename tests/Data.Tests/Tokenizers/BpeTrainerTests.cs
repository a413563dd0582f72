using System.Diagnostics;
using CsCheck;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

public sealed class BpeTrainerTests
{
    [Test]
    public void The_most_frequent_pair_is_joined_first_and_ties_go_to_smaller_ids()
    {
        // ▁ab occurs 3 times, ▁cd 3 times: a < c in code points, and ▁ (U+2581) has the largest id of all characters.
        var trained = BpeTrainer.Train(
            ["ab cd ab cd ab cd"], new BpeTrainerOptions { VocabularySize = 3 + 256 + 5 + 2 });
        var ids = trained.Tokenizer.Encode("ab cd");
        Assert.Multiple(() =>
        {
            Assert.That(trained.Tokenizer.VocabularySize, Is.EqualTo(266));
            Assert.That(ids, Is.EqualTo(new[] { 263, 264, 263, 265 }), "▁ ab ▁ cd");
        });
    }

    [Test]
    public void Words_become_single_pieces_while_there_is_room()
    {
        string[] words = [.. Enumerable.Range(0, 500).Select(Word).Distinct()];
        var text = string.Join(' ', words.Concat(words));
        var trained = BpeTrainer.Train([text], new BpeTrainerOptions { VocabularySize = 4000 });
        Assert.Multiple(() =>
        {
            Assert.That(trained.WholeWords, Is.EqualTo(trained.Words));
            Assert.That(trained.Tokenizer.Encode(text), Has.Count.EqualTo(2 * words.Length));
            Assert.That(trained.Tokenizer.VocabularySize, Is.LessThan(4000), "training ends when no pair is left");
        });
    }

    [Test]
    public void The_order_of_texts_changes_nothing() =>
        Gen.OneOf("the", "lamp", "lamps", "stands", "standing", "aaaa", "aaaab", "x1", "don't")
            .Array[1, 30].Sample(words =>
            {
                var options = new BpeTrainerOptions { VocabularySize = 320, MinimumFrequency = 1 };
                return BpeTrainer.Train(words, options).Tokenizer.Hash
                    == BpeTrainer.Train(words.Reverse(), options).Tokenizer.Hash;
            });

    [Test]
    public void Training_equals_counting_every_pair_anew() =>
        Gen.OneOf("aaab", "abab", "baba", "abcabc", "bca", "cab", "aabb", "ccc").Array[1, 12].Sample(words =>
        {
            var text = string.Join(' ', words);
            var trained = BpeTrainer.Train(
                [text], new BpeTrainerOptions { VocabularySize = 275, MinimumFrequency = 2 });
            return trained.Tokenizer.Encode(text).Count == NaiveLength(words, 275 - 259);
        });

    [Test]
    public void Digits_and_punctuation_stand_alone_and_rare_characters_are_bytes()
    {
        var tokenizer = BpeTrainer.Train(
            ["1999 1999 1999 (a) (a) (a)\n\n\n"], new BpeTrainerOptions { VocabularySize = 400 }).Tokenizer;
        Assert.Multiple(() =>
        {
            Assert.That(tokenizer.Encode("1999"), Has.Count.EqualTo(5), "▁ 1 9 9 9");
            Assert.That(tokenizer.Encode("(a)"), Has.Count.EqualTo(4), "▁ ( a )");
            Assert.That(tokenizer.Encode("日").Skip(1), Is.EqualTo(new[] { 3 + 0xE6, 3 + 0x97, 3 + 0xA5 }));
            Assert.That(tokenizer.Encode("\n")[^1], Is.EqualTo(3 + '\n'));
        });
    }

    [Test]
    public void What_is_written_loads_as_the_same_tokenizer()
    {
        var trained = AllTokenizers.Train();
        var folder = TestFiles.NewFolder();
        trained.Write(folder);
        var loaded = TokenizerLoader.Load(folder);
        Assert.Multiple(() =>
        {
            Assert.That(loaded.Hash, Is.EqualTo(trained.Tokenizer.Hash));
            Assert.That(loaded.BosId, Is.EqualTo(1));
            Assert.That(loaded.EosId, Is.EqualTo(2));
            Assert.That(loaded.ControlId("<pad>"), Is.EqualTo(3));
            Assert.That(() => trained.Write(folder), Throws.TypeOf<SafeLlamaException>()
                .With.Message.Contains("nothing is overwritten"));
        });
    }

    [TestCase(100, "Ask for at least")]
    [TestCase(400, "\"pad\" is not of the form <name>", "pad")]
    [TestCase(400, "\"<s>\" is named twice", "<s>")]
    public void Options_that_make_no_sense_are_named(int size, string message, params string[] control) => Assert.That(
        () => BpeTrainer.Train(["a b"], new BpeTrainerOptions { VocabularySize = size, ControlTokens = control }),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains(message)
            .And.Property(nameof(SafeLlamaException.Code)).EqualTo(ExitCode.Usage));

    [Test]
    [Slow("it trains on 10 MB of text.")]
    public void Ten_megabytes_train_in_half_a_minute_and_encode_at_a_megabyte_a_second()
    {
        var random = Philox.Stream(1, "text");
        // Zipf-like: squaring a uniform number favors the first words.
        var text = string.Join(' ', Enumerable.Range(0, 1_300_000)
            .Select(i => Word((int)(Math.Pow(random.Uniform(i), 3) * 60_000))));
        var watch = Stopwatch.StartNew();
        var trained = BpeTrainer.Train([text], new BpeTrainerOptions { VocabularySize = 8000 });
        var training = watch.Elapsed.TotalSeconds;
        watch.Restart();
        trained.Tokenizer.Encode(text);
        var megabytesPerSecond = text.Length / 1e6 / watch.Elapsed.TotalSeconds;
        TestContext.Out.WriteLine($"{text.Length / 1e6:0.0} MB: trained in {training:0.0} s, "
            + $"encoded at {megabytesPerSecond:0.0} MB/s, vocabulary {trained.Tokenizer.VocabularySize}");
        Assert.Multiple(() =>
        {
            Assert.That(training, Is.LessThan(30));
            Assert.That(megabytesPerSecond, Is.GreaterThan(1));
        });
    }

    /// <summary>A made-up word for each number.</summary>
    private static string Word(int i)
    {
        string[] syllables =
            ["ba", "ke", "lo", "mi", "nu", "ra", "se", "ti", "vo", "zun", "pel", "dar", "fen", "gol", "hir"];
        var word = "";
        for (var rest = i + 1; rest > 0; rest /= syllables.Length)
        {
            word += syllables[rest % syllables.Length];
        }

        return word;
    }

    /// <summary>The tokens of the text when each step counts all pairs from nothing.</summary>
    private static int NaiveLength(string[] words, int room)
    {
        var split = words.Select(w => ("▁" + w).Select(c => c.ToString()).ToList()).ToList();
        // A space is always a piece; the letters are where they occur at least twice.
        var letters = split.SelectMany(w => w).GroupBy(c => c).Where(g => g.Count() >= 2).Select(g => g.Key)
            .Append("▁").Distinct().Order(StringComparer.Ordinal).ToList();
        var pieces = letters.ToList();
        while (pieces.Count < room)
        {
            var best = split.SelectMany(w => w.Zip(w.Skip(1)))
                .Where(p => pieces.Contains(p.First) && pieces.Contains(p.Second))
                .GroupBy(p => p).Where(g => g.Count() >= 2)
                .OrderByDescending(g => g.Count())
                .ThenBy(g => pieces.IndexOf(g.Key.First)).ThenBy(g => pieces.IndexOf(g.Key.Second))
                .FirstOrDefault();
            if (best is null)
            {
                break;
            }

            foreach (var word in split)
            {
                for (var i = 0; i + 1 < word.Count; i++)
                {
                    if ((word[i], word[i + 1]) == best.Key)
                    {
                        word[i] += word[i + 1];
                        word.RemoveAt(i + 1);
                    }
                }
            }

            var joined = best.Key.First + best.Key.Second;
            if (!pieces.Contains(joined))
            {
                pieces.Add(joined);
            }
        }

        return split.Sum(w => w.Count);
    }
}
