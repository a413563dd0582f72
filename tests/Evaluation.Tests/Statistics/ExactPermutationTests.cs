using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>Every arrangement as extreme as the observed one is counted, ties included.</summary>
[TestFixture]
public sealed class ExactPermutationTests
{
    [Test]
    public void Ties_in_tenths_are_counted_as_whole_numbers_count_them([Values(12, 19, 20)] int n)
    {
        var random = Philox.Stream(7, "tenths", n);
        for (var set = 0; set < 200; set++)
        {
            var at = 2 * n * set;
            long[] before = [.. Enumerable.Range(0, n).Select(i => (long)random.Below(at + 2 * i, 41))];
            long[] after = [.. Enumerable.Range(0, n).Select(i => (long)random.Below(at + 2 * i + 1, 41))];

            // Subtracted as doubles, as scores are: 0.3 − 0.1 is not 0.2.
            double[] differences = [.. after.Zip(before, (b, a) => b / 10.0 - a / 10.0)];
            var expected = Exact([.. after.Zip(before, (b, a) => b - a)]);
            Assert.That(PairedPermutation.Test(differences), Is.EqualTo(expected), string.Join(' ', differences));
        }
    }

    [Test]
    public void Ties_of_thirds_are_counted_too()
    {
        var random = Philox.Stream(8, "thirds");
        for (var set = 0; set < 100; set++)
        {
            long[] thirds = [.. Enumerable.Range(0, 16).Select(i => (long)random.Below(16 * set + i, 13) - 6)];
            Assert.That(
                PairedPermutation.Test([.. thirds.Select(t => t / 3.0)]), Is.EqualTo(Exact(thirds)),
                string.Join(' ', thirds));
        }
    }

    [Test]
    public void The_p_value_of_the_recorded_scores_is_not_below_a_twentieth()
    {
        double[] before = Scores("before.jsonl"), after = Scores("after.jsonl");
        var p = PairedPermutation.Test([.. after.Zip(before, (b, a) => b - a)]);
        Assert.That(p, Is.EqualTo(0.0524).Within(5e-5), "counted with exact fractions");
    }

    private static double[] Scores(string name) => [.. File.ReadLines(TestFiles.Fault($"eval/permutation/{name}"))
        .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("response").GetString()!)
        .Select(answer => double.Parse(Regex.Match(answer, "score=([0-9.]+)").Groups[1].Value))];

    /// <summary>
    /// The share of sign choices whose sum is as far from 0 as the one seen: a count of whole numbers.
    /// </summary>
    private static double Exact(long[] differences)
    {
        var reached = new Dictionary<long, BigInteger> { [0] = 1 };
        foreach (var d in differences)
        {
            var next = new Dictionary<long, BigInteger>();
            foreach (var (sum, ways) in reached)
            {
                next[sum + d] = next.GetValueOrDefault(sum + d) + ways;
                next[sum - d] = next.GetValueOrDefault(sum - d) + ways;
            }

            reached = next;
        }

        var observed = Math.Abs(differences.Sum());
        var extreme = reached.Where(r => Math.Abs(r.Key) >= observed).Aggregate(BigInteger.Zero, (a, r) => a + r.Value);
        return (double)extreme / Math.Pow(2, differences.Length);
    }
}
