namespace SafeLlama.Kernels.Tests;

internal sealed unsafe class KeyGroupsTests
{
    [Test]
    public void Packed_examples_are_groups() =>
        Assert.That(
            Split([0, 0, 0, 3, 3, 5], [0, 1, 2, 3, 4, 5], keys: 6),
            Is.EqualTo(new KeyGroup[] { new(0, 3, 0, 3), new(3, 5, 3, 5), new(5, 6, 5, 6) }));

    [Test]
    public void Rows_that_share_keys_stay_together() =>
        Assert.That(Split([4, 0, 2], [6, 1, 5], keys: 8), Is.EqualTo(new KeyGroup[] { new(0, 3, 0, 8) }));

    [Test]
    public void Keys_that_nobody_attends_to_belong_to_a_group() =>
        Assert.That(
            Split([0, 10], [3, 12], keys: 20),
            Is.EqualTo(new KeyGroup[] { new(0, 1, 0, 4), new(1, 2, 4, 20) }));

    [Test]
    public void No_rows_are_no_groups() => Assert.That(Split([], [], keys: 3), Is.Empty);

    [Test]
    public void Blocks_hold_few_rows_of_one_group_and_just_their_keys()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var (first, last) = (t.Ints("first", 0, 0, 0, 3, 3), t.Ints("last", 0, 1, 2, 3, 4));
        Assert.That(
            new KeyGroups().SplitIntoBlocks(first.AsElements<int>(), last.AsElements<int>(), 5, rowsPerBlock: 2),
            Is.EqualTo(new KeyGroup[] { new(0, 2, 0, 2), new(2, 3, 0, 3), new(3, 5, 3, 5) }));
    }

    private static KeyGroup[] Split(int[] first, int[] last, int keys)
    {
        fixed (int* firsts = first, lasts = last)
        {
            return [.. new KeyGroups().Split(new(firsts, first.Length), new(lasts, last.Length), keys)];
        }
    }
}
