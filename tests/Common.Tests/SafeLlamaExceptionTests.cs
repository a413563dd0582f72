namespace SafeLlama.Common.Tests;

public sealed class SafeLlamaExceptionTests
{
    private static readonly SafeLlamaException Error = SafeLlamaException.Usage(
        "`MicroBatch` 3 does not divide `BatchSize` 16.", "lower `MicroBatch`", "use `Resume`", "ask `someone`");

    [Test]
    public void A_library_names_settings_by_property() => Assert.That(Error.Message, Is.EqualTo(
        "MicroBatch 3 does not divide BatchSize 16. Lower MicroBatch, use Resume, or ask `someone`."));

    [Test]
    public void A_reader_gets_his_own_names_and_only_the_ways_out_that_he_has() => Assert.That(
        Error.MessageFor(name => name == "MicroBatch" ? "--micro-batch" : null),
        Is.EqualTo("--micro-batch 3 does not divide batch size 16. Lower --micro-batch, or ask `someone`."));

    [Test]
    public void Without_a_way_out_the_fault_stands_alone() => Assert.That(
        SafeLlamaException.Usage("`Out` x: is taken.", "use `Resume`").MessageFor(_ => null),
        Is.EqualTo("out x: is taken."));
}
